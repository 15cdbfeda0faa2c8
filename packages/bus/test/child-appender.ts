/**
 * Appends to a log until it is killed, and prints the ref of every event whose commit has resolved. Every commit also
 * moves a floor to the event before it, so that a torn commit shows. Arguments: data directory.
 */
import { writeSync } from 'node:fs';
import { newRef } from '@magpie/contract';
import { openSqliteLog } from '../src/index.ts';

const [, , dataDir = ''] = process.argv;
const log = await openSqliteLog({ dataDir, reserveBytes: 0, minFreeBytes: 0 });
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
    await log.commit({
      append: pair.map((entry) => ({ event: entry })),
      outcomes: [{ ref, consumer: 'c', state: 'confirmed', at: Date.now(), attempts: 1 }],
    });
    writeSync(1, `${ref}\n`);
  }
}

writeSync(1, 'ready\n');
await Promise.all(Array.from({ length: 16 }, (_, lane) => appendForEver(lane)));
