import { V7Generator } from 'uuidv7';

/** Longest time, in ms, that a generator can be told to wait for a clock that was set back: all there is. */
const FOR_EVER = 2 ** 48 - 1;

const generator = new V7Generator();
generator.setRollbackAllowance(FOR_EVER);

/**
 * A fresh event ref: UUIDv7 (RFC 9562), sortable by creation. Greater than all before in this process, even when the clock is
 * set back: then it keeps the time of the latest.
 */
export const newRef = (): string => generator.generate().toString();

/**
 * Makes the refs from now on greater than all of a time, in ms since the epoch. Called at start with the time of the last stored
 * event, which lies ahead when the clock was set back meanwhile.
 */
export function keepRefsAfter(time: number): void {
  generator.generateOrResetWithTs(time);
}
