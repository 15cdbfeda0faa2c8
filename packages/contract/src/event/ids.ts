import { V7Generator } from 'uuidv7';
import type { Event } from './event.ts';

/** How far a clock may be set back, in ms, before the generator follows it: the largest value there is. */
const ANY_STEP = 2 ** 48 - 1;

/** Random numbers taken from the system at once: asking for few costs as much as asking for many. */
const random = new Uint32Array(1024);
let used = random.length;

function nextUint32(): number {
  if (used === random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  return random[used++]!;
}

const generator = new V7Generator({ nextUint32 });
generator.setRollbackAllowance(ANY_STEP);

/**
 * A fresh event ref: UUIDv7 (RFC 9562), sortable by creation, of the time `now` in ms since the epoch. Greater than all before
 * in this process, even when the clock is set back: then it keeps the time of the latest.
 */
export const newRef = (now = Date.now()): string => generator.generateOrResetWithTs(now).toString();

const UUID_V7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** The time of a UUIDv7 in lower case, such as a ref, in ms since the epoch; undefined for any other text. */
export function timeOfRef(text: string): number | undefined {
  return UUID_V7.test(text) ? Number.parseInt(text.slice(0, 8) + text.slice(9, 13), 16) : undefined;
}

/**
 * Makes the refs from now on greater than that of an event, and their times not less than its receipt. Called at start with the
 * last stored event, whose times lie ahead when the clock was set back meanwhile.
 */
export function keepRefsAfter({ ref, receivedAt }: Pick<Event, 'ref' | 'receivedAt'>): void {
  generator.generateOrResetWithTs(Math.max((timeOfRef(ref) ?? 0) + 1, receivedAt));
}
