import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/adapters.ts';
import { compileFile } from '../../src/config/compile.ts';
import { command } from '../support/command.ts';
import { configuration, fileWith, route, startWorld } from '../support/fixtures.ts';

const COUNT = 90_000;
/** Processor seconds that a file of so many mistakes may take; each compared with each takes minutes. */
const MOST_SECONDS = 12;
/** Bytes of an answer about it. */
const MOST_BYTES = 200_000;

const many = (line: (index: number) => string): string[] => Array.from({ length: COUNT }, (_, index) => line(index));
const base = configuration('any', [route('a', 'one')]);

/** Files with as many mistakes as a file can hold, by what is wrong with them. */
const FILES: readonly (readonly [name: string, text: string])[] = [
  ['keys at the top', `${base}${many((index) => `wrong-${index}: 1`).join('\n')}\n`],
  ['keys of the gateway', base.replace('id: test', `id: test,\n${many((index) => `  wrong-${index}: 1`).join(',\n')}`)],
  [
    'keys of one route',
    `${base}    wrong:\n${many((index) => `    k${index}: 1`).join('\n')}\n`.replace('    wrong:', '  b:'),
  ],
  ['connections of no type', base.replace('routes:', `${many((index) => `  c${index}: {}`).join('\n')}\nroutes:`)],
  ['routes that are none', `${base}${many((index) => `  r${index}: {}`).join('\n')}\n`],
];

describe('a configuration with 90,000 mistakes', () => {
  it.each(FILES)('is answered in the size of a hundred: %s', { timeout: 120_000 }, (_, text) => {
    const before = process.cpuUsage();
    const { problems } = compileFile(ADAPTERS, { path: 'magpie.yaml', text });
    const { user, system } = process.cpuUsage(before);
    expect(problems.length).toBeLessThanOrEqual(101);
    expect(problems.length).toBeGreaterThanOrEqual(100);
    expect((user + system) / 1e6).toBeLessThan(MOST_SECONDS);
  });

  it('is refused by check, by a reload and by what the API shows afterwards, in a bounded answer', {
    timeout: 120_000,
  }, async () => {
    const [, text] = FILES[1]!;
    for (const flags of [[], ['--json']]) {
      const { stdout, code } = await command('check', ...flags, fileWith(text));
      expect(code).toBe(1);
      expect(stdout.length).toBeLessThan(MOST_BYTES);
    }
    const world = await startWorld([route('a', 'one')]);
    writeFileSync(world.path, text);
    const reload = await world.api.app.inject({ method: 'POST', url: '/v1/config/reload' });
    expect(reload.statusCode).toBe(422);
    expect(reload.body.length).toBeLessThan(MOST_BYTES);
    for (const url of ['/v1', '/v1/config']) {
      const shown = await world.api.app.inject({ method: 'GET', url });
      expect(shown.statusCode).toBe(200);
      expect(shown.body.length, url).toBeLessThan(MOST_BYTES);
    }
  });
});
