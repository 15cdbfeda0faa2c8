import type { Commit, Position } from '../contract/index.ts';

/** Makes and reads the positions of one log: one epoch, one partition. */
export interface Positions {
  readonly epoch: string;
  /** The position of a row, which counts from 1. */
  of(offset: number): Position;
  /** The row of a position. Throws `RangeError` for a position of another log. */
  offset(place: Position): number;
  /** A text as a position of this log; undefined when it is anything else. */
  parse(text: string): Position | undefined;
}

/** Positions `<epoch>:0:<offset>`; both stores have a single partition. */
export function positionsOf(epoch: string): Positions {
  const prefix = `${epoch}:0:`;
  const parse = (text: string): Position | undefined => (isPosition(text, prefix) ? text : undefined);
  return {
    epoch,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where positions are made
    of: (offset) => `${prefix}${offset}` as Position,
    offset: (place) => {
      if (parse(place) === undefined) {
        throw new RangeError(`expected a position of this log (${prefix}<number>), got "${place}"`);
      }
      return Number(place.slice(prefix.length));
    },
    parse,
  };
}

const isPosition = (text: string, prefix: string): text is Position =>
  text.startsWith(prefix) && /^(0|[1-9]\d{0,14})$/.test(text.slice(prefix.length));

/** Every position a commit names, for checking it before anything is applied. */
export function* positionsIn({ matched, floors = [], exceptions }: Commit): Generator<Position> {
  if (matched !== undefined) yield matched;
  for (const { floor } of floors) if (floor !== null) yield floor;
  for (const { position } of exceptions?.put ?? []) yield position;
  for (const { position } of exceptions?.remove ?? []) yield position;
}
