import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { command } from '../support/command.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const files = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));

test('there are examples', () => expect(files).not.toHaveLength(0));

test.each(files)('the example %s passes its check', async (file) => {
  const { stdout, code } = await command('check', join(EXAMPLES, file));
  expect(stdout).toMatch(/: ok, \d+ warnings?; .*, (\d+) of \1 route tests passed\n$/);
  expect(code).toBe(0);
});
