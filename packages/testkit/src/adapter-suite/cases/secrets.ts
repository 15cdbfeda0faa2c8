import { inspect } from 'node:util';
import { Secret } from '@magpie/contract';
import { expect } from 'vitest';
import type { Bench, CaseGroup } from '../bench.ts';
import { errorOf, expectError } from '../errors.ts';
import type { Keys } from '../fixture.ts';
import { recordingSink } from '../sinks.ts';

/** Credentials: refused clearly, shown nowhere. */
export const secretCases = {
  'bad-credentials': {
    title: 'says AuthFailed for wrong credentials, each time, without reporting a lost link',
    async run(bench) {
      const link = bench.link(badCredentials(bench, 'bad-credentials'));
      await expectError(link.connect(), 'AuthFailed');
      await expectError(link.connect(), 'AuthFailed');
      await expectError(link.sendText('unauthorized'), 'NotConnected');
      expect(link.lost).toEqual([]);
    },
  },
  'secrets-hidden': {
    title: 'shows no secret in logs, details, counters, errors or the configuration',
    async run(bench) {
      const bad = badCredentials(bench, 'secrets-hidden');
      const [good, wrong] = [parse(bench, bench.site.connection), parse(bench, bad)];
      const secrets = [...revealed(good), ...revealed(wrong)];
      expect(secrets.length, 'bad credentials hold a secret').toBeGreaterThan(0);

      const refused = bench.link(bad);
      const error = await errorOf(refused.connect());
      const link = await bench.receiving(recordingSink().sink);
      await link.sendText('hello');
      await link.probe();
      await link.close();
      const late = await errorOf(link.sendText('closed'));

      const shown = [
        ...refused.said,
        ...link.said,
        ...[good, wrong, error, late].map((value) => `${inspect(value, { depth: 10 })} ${JSON.stringify(value)}`),
        ...[error, late].map(({ message, stack }) => `${message} ${stack}`),
      ].join('\n');
      for (const secret of secrets) {
        for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
          expect(shown.includes(form), `a secret of ${form.length} characters is shown`).toBe(false);
        }
      }
    },
  },
} as const satisfies CaseGroup;

function badCredentials(bench: Bench, name: string): Keys {
  const { badCredentials: keys } = bench.site;
  if (keys) return keys;
  throw new Error(
    `the fixture offers no badCredentials: offer them, or declare unsupported: { '${name}': '<reason>' }`,
  );
}

const parse = ({ suite }: Bench, keys: Keys): unknown => suite.definition.connectionSchema.parse(keys);

/** Every secret inside a parsed configuration. */
function revealed(value: unknown): string[] {
  if (value instanceof Secret) return [value.reveal()];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(revealed) : [];
}
