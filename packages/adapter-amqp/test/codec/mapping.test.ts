import { readFileSync } from 'node:fs';
import { MAPPING } from '@magpie/adapter-amqp';
import { expect, it } from 'vitest';
import { RESERVED } from '../../src/codec/reserved.ts';

it('the README shows the mapping as it is', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replace(/ +\|/g, ' |');
  const rows = MAPPING.map(({ concept, field: name, amqp }) => `| ${concept} | ${name} | ${amqp} |`);
  expect(rows.filter((row) => !readme.includes(row))).toEqual([]);
});

it('names every header of ours', () => {
  const text = MAPPING.map(({ amqp }) => amqp).join('\n');
  expect(Object.values(RESERVED).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
