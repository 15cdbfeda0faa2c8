/**
 * Commits one event at a time and prints `ok <ref>` or `failed <name>: <message>`, until three commits have failed.
 * Run under strace, which makes fsync fail after a while. Arguments: data directory.
 */
import { writeSync } from 'node:fs';
import { newRef } from '@magpie/contract';
import { openLog } from '../../src/index.ts';

const [, , dataDir = ''] = process.argv;
const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
let failures = 0;
for (let index = 0; index < 500 && failures < 3; index++) {
  const ref = newRef();
  const now = Date.now();
  const place = { source: 's', address: { scheme: 'topic', segments: ['a'] }, kind: 'message' as const, key: 'a' };
  const event = {
    ref,
    ...place,
    time: now,
    receivedAt: now,
    body: new Uint8Array(100),
    headers: [],
    via: [],
    origin: {},
  };
  try {
    await log.commit({ append: [{ event }] });
    writeSync(1, `ok ${ref}\n`);
  } catch (error) {
    failures++;
    writeSync(1, `failed ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n`);
  }
}
process.exit(3);
