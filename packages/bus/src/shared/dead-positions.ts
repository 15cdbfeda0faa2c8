import { comparePositions, type DeadLetter, type Position } from '../contract/index.ts';

/** What a store knows of its consumers. */
interface Progress {
  /** The floor of a busy consumer, what has been matched for an idle one; undefined in a log without either. */
  floorOf(consumer: string): Position | undefined;
  hasRow(consumer: string, position: Position): boolean;
}

/** `LogState.dead`, from all dead letters of a log. */
export function deadPositions(
  letters: Iterable<{ readonly [Key in 'consumer' | 'position']?: DeadLetter[Key] | undefined }>,
  { floorOf, hasRow }: Progress,
): ReadonlyMap<string, ReadonlySet<Position>> {
  const dead = new Map<string, Set<Position>>();
  for (const { consumer, position } of letters) {
    if (consumer === undefined || position === undefined) continue;
    const floor = floorOf(consumer);
    const isPassed = floor !== undefined && comparePositions(position, floor) <= 0;
    if (isPassed && !hasRow(consumer, position)) continue;
    const positions = dead.get(consumer) ?? new Set();
    dead.set(consumer, positions.add(position));
  }
  return dead;
}
