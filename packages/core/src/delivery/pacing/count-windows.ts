import { randomUUID } from 'node:crypto';
import type { Event, TargetRequest } from '@magpie/contract';
import type { SummaryValues } from '@magpie/routing';

/** Distinct values that a list of a summary names; more are written as an ellipsis. */
const MOST_NAMED = 20;
const MORE = '…';

/** Windows of one target that are open at a time: the oldest is closed early for one more. */
export const MOST_WINDOWS = 10_000;

/** What a window belongs to: `rate` or `quiet` of the route. */
export type CountRule = 'rate' | 'quiet';

/** What is counted about one place of a target in one stretch of time. Plain data: it is kept as JSON. */
export interface CountWindow {
  readonly id: string;
  readonly rule: CountRule;
  readonly place: string;
  /** Steady ms since the epoch. */
  readonly since: number;
  readonly until: number;
  /** Messages that went out. */
  sent: number;
  /** Messages that did not. */
  count: number;
  /** Distinct values of what was counted, for the summary. */
  values: SummaryValues;
  /** Where the summary goes: where the last counted message would have gone. */
  to?: { readonly target: TargetRequest; readonly via: readonly string[] };
}

/** The windows of one target: one open for each rule and place, and those whose summary is being sent. */
export class CountWindows {
  readonly #open = new Map<string, CountWindow>();
  readonly #closed = new Map<string, CountWindow>();
  /** Ids of windows that differ from what is kept. */
  readonly #changed = new Set<string>();

  /** Deliveries counted in open windows. */
  get counted(): number {
    let sum = 0;
    for (const { count } of this.#open.values()) sum += count;
    return sum;
  }

  /** The open window of a place, if there is one. */
  at(rule: CountRule, place: string): CountWindow | undefined {
    return this.#open.get(nameOf({ rule, place }));
  }

  /** All that have not ended, the oldest first. */
  all(): readonly CountWindow[] {
    return [...this.#closed.values(), ...this.#open.values()];
  }

  open(rule: CountRule, place: string, since: number, until: number): CountWindow {
    const window: CountWindow = { id: randomUUID(), rule, place, since, until, sent: 0, count: 0, values: {} };
    this.#open.set(nameOf(window), window);
    return window;
  }

  /** The oldest open window when there are too many of them. */
  get surplus(): CountWindow | undefined {
    return this.#open.size > MOST_WINDOWS ? this.#open.values().next().value : undefined;
  }

  /** A message goes out. */
  pass(window: CountWindow): void {
    window.sent++;
    this.#changed.add(window.id);
  }

  /** A message does not go out. */
  count(window: CountWindow, values: Readonly<Record<string, string>>, target: TargetRequest, { via }: Event): void {
    window.count++;
    window.values = withValues(window.values, values);
    window.to = { target, via };
    this.#changed.add(window.id);
  }

  /** Nothing more is counted in a window. */
  close(window: CountWindow): void {
    const name = nameOf(window);
    if (this.#open.get(name) === window) this.#open.delete(name);
    this.#closed.set(window.id, window);
  }

  /** Its summary is sent, or it has none. */
  forget({ id }: CountWindow): void {
    this.#closed.delete(id);
    this.#changed.add(id);
  }

  /** What differs from what is kept, as JSON by id; undefined: it is forgotten. */
  *changes(): Iterable<readonly [string, string | undefined]> {
    if (this.#changed.size === 0) return;
    const known = new Map(this.all().map((window) => [window.id, window]));
    for (const id of this.#changed) {
      const window = known.get(id);
      yield [id, window && JSON.stringify(window)];
    }
    this.#changed.clear();
  }

  /** Takes back a window; the newest one of a place is the open one. Called before anything is counted. */
  restore(json: string): CountWindow {
    const window = JSON.parse(json) as CountWindow;
    const name = nameOf(window);
    const known = this.#open.get(name);
    const [older, newer] = known !== undefined && known.since > window.since ? [window, known] : [known, window];
    this.#open.set(name, newer);
    if (older !== undefined) this.#closed.set(older.id, older);
    return window;
  }
}

const nameOf = ({ rule, place }: Pick<CountWindow, 'rule' | 'place'>): string => `${rule} ${place}`;

function withValues(known: SummaryValues, values: Readonly<Record<string, string>>): SummaryValues {
  const next: Record<string, readonly string[]> = { ...known };
  for (const [name, value] of Object.entries(values)) {
    const list = next[name] ?? [];
    if (list.includes(value) || list.length > MOST_NAMED) continue;
    next[name] = [...list, list.length === MOST_NAMED ? MORE : value];
  }
  return next;
}
