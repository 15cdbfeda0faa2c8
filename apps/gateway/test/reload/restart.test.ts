import { RESTART_KEYS } from '@magpie/config';
import { expect, test } from 'vitest';
import { ADAPTERS } from '../../src/adapters.ts';
import { compileFile } from '../../src/config/compile.ts';
import { inForce, restartNeeded } from '../../src/reload/restart.ts';
import { LIVE_KEYS } from '../../src/reload/revisions.ts';

function config(text: string) {
  const { config: loaded, problems } = compileFile(ADAPTERS, { path: 'magpie.yaml', text: `version: 1\n${text}` });
  if (!loaded) throw new Error(JSON.stringify(problems));
  return loaded;
}

test('every key of the section gateway is either read while running or marked in the schema as needing a restart', () => {
  const keys = Object.keys(config('gateway: { id: a }').gateway);
  const marked = RESTART_KEYS.flatMap(([section, key]) => (section === 'gateway' && key ? [key] : []));
  expect([...marked, ...LIVE_KEYS].toSorted()).toEqual(keys.toSorted());
});

test('a changed key that needs a restart is named and stays as it was; all others change', () => {
  const running = config('gateway: { id: a, dedupe: { window: 1m } }\nhttp: { port: 1, cors: { origins: [] } }');
  const wanted = config('gateway: { id: a, dedupe: { window: 2m }, deadLetters: { max: 5 } }\nhttp: { port: 2 }');
  expect(restartNeeded(running, wanted)).toEqual(['gateway.dedupe.window', 'http.port', 'http.cors']);
  const next = inForce(running, wanted);
  expect(next.gateway).toEqual({ ...running.gateway, deadLetters: { max: 5 } });
  expect(next.http).toEqual(running.http);
});
