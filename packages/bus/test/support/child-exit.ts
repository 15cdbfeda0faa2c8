/** Appends one event, prints its position and ends as a gateway does whose log has failed: without closing it. */
import { newRef } from '@magpie/contract';
import { openLog } from '../../src/index.ts';

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error('expected the data directory as argument');
const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
const place = { address: { scheme: 'topic', segments: ['a'] }, key: 'a', kind: 'message' as const, source: 's' };
const event = {
  ref: newRef(),
  ...place,
  time: 1,
  receivedAt: 1,
  body: Buffer.from('kept'),
  headers: [],
  via: [],
  origin: {},
};
const [stored] = await log.commit({ append: [{ event }] });
process.stdout.write(`${stored?.position}\n`, () => process.exit(70));
