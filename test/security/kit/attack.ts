import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { pushFigures } from './figures.ts';
import { goodClient } from './good-client.ts';
import { ask } from './http.ts';
import { descriptorsOf, memoryOf, resetPeak } from './process-state.ts';
import type { Victim } from './victim.ts';

/** What an attack did to a gateway. */
export interface Outcome {
  /** Messages, sockets, requests: whatever the attack is made of. */
  readonly inputs: number;
  /** The process ended though it should not have. */
  readonly crashes: number;
  /** Times that health was not answered within `SILENCE_MS`. */
  readonly hangs: number;
  /** Descriptors that were not given back. */
  readonly leaks: number;
  /** Messages of a good client that were acknowledged and are not in the log. */
  readonly losses: number;
  /** Messages of a good client that were not taken. */
  readonly refusals: number;
  /** Most resident memory, MB, and how much that is above what was used before. */
  readonly peak: number;
  readonly growth: number;
}

/** What may be asked of a test about an attack. */
export interface AttackOptions {
  /** Key that the good client uses. */
  readonly key?: string;
  /** Links of its connections that may be open at the end and were not before; default none. */
  readonly links?: number;
  /** The process ends by itself, with this code; what it acknowledged must be there after a restart. */
  readonly ends?: number;
}

/** An attack that did no harm: the process lives and answers, gives back what it took, and serves its good clients. */
export const UNHARMED = { crashes: 0, hangs: 0, leaks: 0, losses: 0, refusals: 0 } as const;

/** Longest time for the answer to a question about health: others may use the machine as well. */
const SILENCE_MS = 8000;
const ASK_EVERY_MS = 200;
/** Time to give descriptors back after the attack. */
const SETTLE_MS = 20_000;
/** Descriptors that come and go with the good client and the log. */
const SPARE_DESCRIPTORS = 6;

/**
 * Attacks a gateway while a good client publishes and health is asked for. `attack` resolves to the number of inputs it has
 * tried; what it holds open on purpose it closes before, unless the gateway is to take it back.
 */
export async function underAttack(
  victim: Victim,
  attack: () => Promise<number>,
  options: AttackOptions = {},
): Promise<Outcome> {
  const { pid } = victim.gateway;
  await settled(pid, 0);
  const descriptors = descriptorsOf(pid);
  resetPeak(pid);
  const before = memoryOf(pid).now;
  const memory = watchMemory(pid);
  const health = watchHealth(victim.url, options.key);
  const client = goodClient(victim.url, options.key);
  const tried = await attack().then(
    (inputs) => ({ inputs }),
    (error: unknown) => ({ error }),
  );
  await client.rest();
  const leaks = victim.end ? 0 : await settled(pid, descriptors + SPARE_DESCRIPTORS + (options.links ?? 0));
  const [hangs, peak] = [await health.stop(), memory.stop()];
  const { acknowledged, refusals } = await client.stop();
  const crashes = victim.end && victim.end.code !== options.ends ? 1 : 0;
  const isOver = victim.end !== undefined;
  if (isOver) await victim.restart();
  const losses = await lost(victim.url, acknowledged, options.key);
  // A process that is to end answers no request from then on.
  const silence = isOver && crashes === 0 ? { hangs: 0, refusals: 0 } : { hangs, refusals };
  const outcome = {
    inputs: 'inputs' in tried ? tried.inputs : 0,
    crashes,
    leaks,
    losses,
    ...silence,
    peak: Math.round(peak),
    growth: Math.round(peak - before),
  };
  if ('error' in tried) throw tried.error;
  pushFigures(outcome);
  return outcome;
}

/** Waits until the process holds no more than so many descriptors; resolves to how many there are above that at the end. */
async function settled(pid: number, most: number): Promise<number> {
  const deadline = performance.now() + SETTLE_MS;
  while (most > 0 && performance.now() < deadline && descriptorsOf(pid) > most) await sleep(100);
  return most > 0 ? Math.max(0, descriptorsOf(pid) - most) : 0;
}

function watchMemory(pid: number): { stop(): number } {
  let peak = memoryOf(pid).now;
  const look = (): void => {
    try {
      peak = Math.max(peak, memoryOf(pid).peak || 0); // nothing while it is taken down
    } catch {
      // It has ended: what was seen counts.
    }
  };
  const timer = setInterval(look, 100);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

function watchHealth(url: string, key: string | undefined): { stop(): Promise<number> } {
  let [stopped, hangs] = [false, 0];
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const loop = async (): Promise<void> => {
    while (!stopped) {
      const answer = await ask(`${url}/livez`, { headers, timeout: SILENCE_MS }).catch(() => undefined);
      if (answer?.status !== 200) hangs++;
      await sleep(ASK_EVERY_MS);
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopped = true;
      await looping;
      return hangs;
    },
  };
}

/** How many of the acknowledged messages the log does not know. */
async function lost(url: string, refs: readonly string[], key: string | undefined): Promise<number> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  let missing = 0;
  for (const ref of refs) if ((await ask(`${url}/v1/messages/${ref}`, { headers })).status !== 200) missing++;
  return missing;
}

/** Fails with the whole outcome when an attack did harm or made the gateway grow by more than `megabytes`. */
export function expectUnharmed(outcome: Outcome, { growth }: { readonly growth: number }): void {
  expect(outcome).toMatchObject(UNHARMED);
  expect(outcome.growth, `growth in MB of ${JSON.stringify(outcome)}`).toBeLessThanOrEqual(growth);
}
