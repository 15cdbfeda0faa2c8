/**
 * Loaded into a gateway before anything else (`--import`), in each of its threads: its wall clock is off by as many
 * milliseconds as the file named in this module's URL says at that moment. Only the wall clock: timers and `performance` go on evenly,
 * as they do when the clock of a machine is set.
 */
import { openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = openSync(fileURLToPath(new URL(import.meta.url).searchParams.get('offset') ?? ''), 'r');
const bytes = Buffer.alloc(8);
const RealDate = Date;
const trueNow = RealDate.now.bind(RealDate);

function shiftedNow(): number {
  readSync(file, bytes, 0, 8, 0);
  return trueNow() + bytes.readDoubleLE(0);
}

RealDate.now = shiftedNow;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [shiftedNow()] : given, newTarget),
  apply: () => new RealDate(shiftedNow()).toString(),
});
