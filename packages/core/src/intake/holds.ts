import { type Address, type AddressPattern, matchesPattern } from '@magpie/contract';

/** Why intake is held: the disk is full, or a target that a source feeds has no room left. */
export type HoldCause = 'disk' | 'backlog';

/** One reason to hold intake. */
interface Hold {
  readonly cause: HoldCause;
  readonly reason: string;
  /** Connections that are held; undefined: all. */
  readonly sources: ReadonlySet<string> | undefined;
  /** The one place of them that is held; undefined: all of them. */
  readonly place: string | undefined;
  /** What is held of those whose messages are answered one by one; undefined: all of them. */
  readonly pattern: AddressPattern | undefined;
  /** Connection that must drain before this hold ends. If it is held itself, neither drains: see `waitsFor`. */
  readonly releasedBy: string | undefined;
}

/** Which part of intake a hold stops; left out: all of it. */
interface HoldScope {
  readonly sources?: ReadonlySet<string>;
  readonly place?: string | undefined;
  readonly pattern?: AddressPattern | undefined;
  readonly releasedBy?: string | undefined;
}

/** Holds back what comes in, for all connections, or for those (or the one place of them) that feed one target. Who is held waits; nothing is dropped. */
export class IntakeHolds {
  readonly #holds = new Map<string, Hold>();
  #waiters: (() => void)[] = [];

  /** Begins (or changes) a hold under a name. */
  hold(name: string, cause: HoldCause, reason: string, { sources, place, pattern, releasedBy }: HoldScope = {}): void {
    this.#holds.set(name, { cause, reason, sources, place, pattern, releasedBy });
  }

  /** Whether a connection goes on only once another does, which is also so when they are the same. */
  waitsFor(connection: string, other: string): boolean {
    const reached = new Set([connection]);
    for (const name of reached) {
      for (const { sources, releasedBy } of this.#holds.values()) {
        if (releasedBy !== undefined && sources?.has(name)) reached.add(releasedBy);
      }
    }
    return reached.has(other);
  }

  /** Ends a hold; those who wait look again. */
  release(name: string): void {
    if (!this.#holds.delete(name)) return;
    const woken = this.#waiters;
    this.#waiters = [];
    for (const wake of woken) wake();
  }

  /** Whether a hold of that name is in force. */
  has(name: string): boolean {
    return this.#holds.has(name);
  }

  /** Why a source is held at present, or one place of it, or one message with that address. */
  heldBy(
    source: string,
    place?: string,
    address?: Address,
  ): { readonly cause: HoldCause; readonly reason: string } | undefined {
    for (const { cause, reason, sources, place: held, pattern } of this.#holds.values()) {
      const isThere = place === undefined || held === undefined || place === held;
      const isMeant = isThere && (address === undefined || pattern === undefined || matchesPattern(pattern, address));
      if ((!sources || sources.has(source)) && isMeant) return { cause, reason };
    }
    return undefined;
  }

  /** All reasons in force, for status. */
  reasons(): readonly string[] {
    return [...this.#holds.values()].map(({ reason }) => reason);
  }

  /** Resolves when nothing holds the source, or that place of it. */
  async opened(source: string, place?: string): Promise<void> {
    while (this.heldBy(source, place)) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
}
