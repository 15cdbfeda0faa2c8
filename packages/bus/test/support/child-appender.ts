/**
 * Appends to a log until it is killed, and prints `<ref> <position>` of the first event of every commit that has
 * resolved. Every commit holds two events and an outcome, so that a torn commit shows. Arguments: data directory, bytes
 * of events to keep (none: all).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { newRef } from '@magpie/contract';
import { openLog } from '../../src/index.ts';

const [, , dataDir = '', keepBytes] = process.argv;
const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
const body = new Uint8Array(300);

const event = (subject: string) => ({
  ref: newRef(),
  source: 'child',
  address: { scheme: 'topic', segments: ['a'] },
  kind: 'message' as const,
  key: 'a',
  time: Date.now(),
  receivedAt: Date.now(),
  body,
  headers: [],
  via: [],
  origin: {},
  subject,
  dedupeKey: subject,
});

/** Two events and an outcome per commit: all three are there afterwards, or none. */
async function appendForEver(lane: number): Promise<never> {
  for (let index = 0; ; index++) {
    const pair = [event(`${lane}-${process.pid}-${index}-a`), event(`${lane}-${process.pid}-${index}-b`)];
    const ref = pair[0]!.ref;
    const [first] = await log.commit({
      append: pair.map((entry) => ({ event: entry })),
      outcomes: [{ ref, consumer: 'c', state: 'confirmed', at: Date.now(), attempts: 1 }],
    });
    process.stdout.write(`${ref} ${first!.position}\n`);
  }
}

/** Keeps removing old events, as the gateway does, but all the time. */
async function retainForEver(maxBytes: number): Promise<void> {
  for (;;) {
    await sleep(100);
    const matched = log.head();
    if (matched !== undefined) await log.commit({ matched });
    await log.retain({ maxAge: 1e12, maxBytes, floor: await log.lowestFloor() });
  }
}

process.stdout.write('ready\n');
if (keepBytes !== undefined) void retainForEver(Number(keepBytes));
await Promise.all(Array.from({ length: 16 }, (_, lane) => appendForEver(lane)));
