declare const position: unique symbol;

/**
 * A place in the log: `<epoch>:<partition>:<offset>`, opaque to everyone but the store and `comparePositions`. Strictly
 * increasing per partition, gaps allowed, never reused; the epoch changes when a log is restored from a backup.
 */
export type Position = string & { readonly [position]: true };

/** Order of two positions of the same epoch and partition: negative, zero or positive. Called several times per delivery. */
export function comparePositions(a: Position, b: Position): number {
  // They differ only in the number at their end, which has no leading zeros: of two numbers the longer one is greater.
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The position before every event of the same log and partition. */
export const originOf = (place: Position): Position => `${place.slice(0, place.lastIndexOf(':'))}:0` as Position;
