import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONTACTS_FILE, type ContactsResult, contactsPage } from '../contacts/page.ts';
import { PAGE_FOLDER } from '../report/publish.ts';

describe('the page about contacts', () => {
  it('is what its figures say', () => {
    const [result]: ContactsResult[] = JSON.parse(readFileSync(join(PAGE_FOLDER, CONTACTS_FILE), 'utf8'));
    expect(readFileSync(join(PAGE_FOLDER, 'contacts.md'), 'utf8')).toBe(contactsPage(result!));
    expect(contactsPage(result!)).toMatch(/\| 20 × 500 \|/);
  });
});
