import { comparePositions, type Position } from '@magpie/bus';
import type { Delivery } from '../delivery.ts';

/** What was decided about a delivery: it goes out, or why it does not. */
export type Decided = 'pass' | 'limited' | 'unchanged' | 'quiet';

interface Decision {
  readonly decided: Decided;
  /** Undefined while it is known from an earlier process only. */
  delivery: Delivery | undefined;
  isSettled: boolean;
}

/**
 * What was decided about the deliveries of one target that a restart would repeat: what has gone out goes again, marked redelivered, and
 * what was counted is not counted twice. It is kept until the floor, which is written in the same transaction, has passed it.
 */
export class Decisions {
  readonly #all = new Map<Position, Decision>();
  #isChanged = false;

  get size(): number {
    return this.#all.size;
  }

  /** What has been decided about a delivery before, by this process or an earlier one. */
  get(delivery: Delivery): Decided | undefined {
    const known = this.#all.get(delivery.position);
    if (known !== undefined) known.delivery ??= delivery;
    return known?.decided;
  }

  add(delivery: Delivery, decided: Decided): void {
    this.#all.set(delivery.position, { decided, delivery, isSettled: false });
    this.#isChanged = true;
  }

  /** A delivery has ended, however; false when nothing was decided about it. */
  settle({ position }: Delivery): boolean {
    const known = this.#all.get(position);
    if (known === undefined) return false;
    known.isSettled = true;
    this.#isChanged = true;
    return true;
  }

  /**
   * Forgets what no restart repeats.
   * @returns the others, to be kept; undefined when that is what is kept already.
   */
  changesFor(floor: Position | undefined): string | undefined {
    if (!this.#isChanged) return undefined;
    this.#isChanged = false;
    for (const [position, { isSettled }] of this.#all)
      if (isSettled && floor !== undefined && comparePositions(position, floor) <= 0) this.#all.delete(position);
    // One that was refused has an exception row, which says that it went out.
    const kept = [...this.#all].filter(
      ([, { isSettled, delivery }]) => isSettled || delivery === undefined || delivery.attempts.length === 0,
    );
    const byDecision = Map.groupBy(kept, ([, { decided }]) => decided);
    return JSON.stringify(
      Object.fromEntries([...byDecision].map(([decided, all]) => [decided, all.map(([position]) => position)])),
    );
  }

  /** Takes back what `changesFor` has given. Called once, before anything is decided. */
  restore(kept: string): void {
    const all = JSON.parse(kept) as Partial<Record<Decided, Position[]>>;
    for (const [decided, positions] of Object.entries(all) as [Decided, Position[]][])
      for (const position of positions) this.#all.set(position, { decided, delivery: undefined, isSettled: false });
  }
}
