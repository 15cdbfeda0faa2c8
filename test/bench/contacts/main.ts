import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBrokers } from '@magpie/brokers';
import { type CrowdFigures, measureCrowd } from '../../support/crowd.ts';
import { thisMachine } from '../report/machine.ts';
import { PAGE_FOLDER, resultsJson } from '../report/publish.ts';
import { CONTACTS_FILE, type ContactsResult, contactsPage, contactsTable } from './page.ts';

/** Ten thousand contacts on one link: of twenty people, and of one. */
const SIZES = [
  { people: 20, contacts: 500 },
  { people: 1, contacts: 10_000 },
];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** `npm run contacts`: about five minutes. Words: `prosody` or `ejabberd` alone, `--no-page`. */
async function main(words: readonly string[]): Promise<void> {
  const { missing, reason } = await ensureBrokers({ wanted: ['prosody', 'ejabberd'], progress: say });
  if (missing.length > 0) throw new Error(reason);
  const servers = (['prosody', 'ejabberd'] as const).filter((name) => words.includes(name));
  const rows: CrowdFigures[] = [];
  for (const name of servers.length > 0 ? servers : (['prosody', 'ejabberd'] as const)) {
    for (const size of SIZES) {
      const title = `${name}, ${size.people} × ${size.contacts}`;
      say(title);
      rows.push(await measureCrowd(name, size, (sentence) => say(`${title}: ${sentence}`)));
    }
  }
  const date = new Date().toISOString();
  const result: ContactsResult = { date, machine: thisMachine(), node: process.version, rows };
  say(contactsTable(rows));
  if (words.includes('--no-page')) return;
  const kept = resultsJson([result]);
  const [rounded]: ContactsResult[] = JSON.parse(kept);
  writeFileSync(join(PAGE_FOLDER, CONTACTS_FILE), kept);
  writeFileSync(join(PAGE_FOLDER, 'contacts.md'), contactsPage(rounded!));
}

await main(process.argv.slice(2));
