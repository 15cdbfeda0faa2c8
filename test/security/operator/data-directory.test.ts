import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { underAttack } from '../kit/attack.ts';
import { ask, post } from '../kit/http.ts';
import { startVictim, type Victim } from '../kit/victim.ts';

/** Publishes until the gateway ends; counts what is acknowledged from a moment on. */
async function publishUntilTheEnd(victim: Victim, since: number): Promise<number> {
  let late = 0;
  for (let count = 0; victim.end === undefined && performance.now() - since < 15_000; count++) {
    const answer = await post(`${victim.url}/v1/messages`, { topic: 'after', text: `${count}` }).catch(() => undefined);
    if (answer?.status === 202) late++;
  }
  return late;
}

describe('files that are taken away while a gateway writes to them', () => {
  it.each([
    ['the data directory', ''],
    ['the log', 'log.db'],
    ['the WAL of the log', 'log.db-wal'],
  ])('%s: it ends with 70 and a sentence, and acknowledges nothing that is nowhere', async (_, name) => {
    const victim = await startVictim();
    for (let count = 0; count < 100; count++) await post(`${victim.url}/v1/messages`, { topic: 'before', text: 'x' });
    await rm(join(victim.dataDir, name), { recursive: true });
    const removed = performance.now();
    const late = await publishUntilTheEnd(victim, removed);
    await waitFor(() => victim.end !== undefined, { what: 'the end of the gateway', timeout: 10_000 });
    expect(victim.end).toEqual({ code: 70 });
    expect(victim.gateway.logs()).toMatch(/"msg":"[^"]*(log|directory)[^"]*(gone|removed|missing|another)/);
    expect(late).toBe(0);
  });

  it('the lock: a second gateway never runs beside the first for longer than a moment', async () => {
    const victim = await startVictim();
    const running = async (): Promise<boolean> => (await ask(`${victim.url}/livez`)).status === 200;
    const outcome = underAttack(
      victim,
      async () => {
        await rm(join(victim.dataDir, 'lock.db'));
        const second = await victim.home.start({ ready: false }).catch(() => undefined);
        const ended = second?.ended.then(() => true) ?? Promise.resolve(true);
        await Promise.race([
          ended,
          waitFor(() => victim.end !== undefined, { what: 'the end of one', timeout: 10_000 }),
        ]);
        await second?.kill();
        return 1;
      },
      { ends: 70 },
    );
    expect(await outcome).toMatchObject({ crashes: 0, losses: 0 });
    expect(await running()).toBe(true);
  });
});
