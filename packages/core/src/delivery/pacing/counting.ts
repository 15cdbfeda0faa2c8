import type { ConnectionValue } from '@magpie/bus';
import { type Clock, type Event, type TargetRequest, toMagpieError } from '@magpie/contract';
import type { Summary } from '@magpie/routing';
import type { TargetInForce } from '../target-in-force.ts';
import { type CountRule, type CountWindow, CountWindows } from './count-windows.ts';
import { pacingValue } from './stored.ts';
import type { Summaries } from './summaries.ts';

export interface CountingDeps {
  readonly clock: Clock;
  readonly summaries: Summaries;
  onFatal(error: Error): void;
}

/** What counting needs of the pacing it is part of. */
interface Owner {
  /** Steady ms since the epoch. */
  now(): number;
  /** How long nothing may be said of a window that is over, in ms. */
  silence(window: CountWindow): number;
  /** What is to be kept has changed. */
  changed(): void;
}

/** How the names of windows begin among what is kept. */
const WINDOW = 'window ';

/** Counts what places of one target do not get, each in windows of time, and has a summary made of each window that is over. */
export class Counting {
  readonly #inForce: TargetInForce;
  readonly #owner: Owner;
  readonly #deps: CountingDeps;
  readonly #windows = new CountWindows();
  readonly #timers = new Map<CountWindow, () => void>();
  readonly #stopping = new AbortController();

  constructor(inForce: TargetInForce, owner: Owner, deps: CountingDeps) {
    this.#inForce = inForce;
    this.#owner = owner;
    this.#deps = deps;
  }

  /** Deliveries that are counted and in no summary yet. */
  get counted(): number {
    return this.#windows.counted;
  }

  /** The open window of a place; without one, or when that is over, a new one of so many ms. */
  windowOf(rule: CountRule, place: string, ms: number): CountWindow {
    const now = this.#owner.now();
    const known = this.#windows.at(rule, place);
    if (known !== undefined && now < known.until) return known;
    if (known !== undefined) this.#close(known);
    const window = this.#windows.open(rule, place, now, now + ms);
    const { surplus } = this.#windows;
    if (surplus !== undefined) this.#close(surplus);
    this.#arm(window);
    return window;
  }

  /** A message goes out. */
  pass(window: CountWindow): void {
    this.#windows.pass(window);
    this.#owner.changed();
  }

  /** A message does not go out; `to` is where it would have gone. */
  count(window: CountWindow, event: Event, to: TargetRequest): void {
    this.#windows.count(window, valuesOf(event, this.#summaryOf(window)), to, event);
    this.#owner.changed();
  }

  /** What differs from what is kept. */
  changes(consumer: string): readonly ConnectionValue[] {
    return [...this.#windows.changes()].map(([id, json]) => pacingValue(consumer, WINDOW + id, json));
  }

  /** Takes back a kept value that is a window. Called once per value, before `begin`. */
  restore(name: string, value: string): void {
    if (name.startsWith(WINDOW)) this.#windows.restore(value);
  }

  /** Goes on with what was taken back. */
  begin(): void {
    for (const window of this.#windows.all()) this.#arm(window);
  }

  /** Makes no summary any more: the next start does. */
  stop(): void {
    this.#stopping.abort();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Closes a window when it is over; a clock that was set while nobody ran makes it no longer than it is. */
  #arm(window: CountWindow): void {
    const { since, until } = window;
    this.#after(window, Math.min(until - this.#owner.now(), until - since), () => this.#close(window));
  }

  #close(window: CountWindow): void {
    this.#windows.close(window);
    this.#timers.get(window)?.();
    if (window.count === 0) this.#end(window);
    else this.#tell(window);
  }

  /** Has the summary of a closed window made, as soon as it may be said. */
  #tell(window: CountWindow): void {
    const silence = this.#owner.silence(window);
    if (silence > 0) return void this.#after(window, silence, () => this.#tell(window));
    const { signal } = this.#stopping;
    this.#deps.summaries.put(this.#inForce.target, window, this.#summaryOf(window), signal).then(
      (isDone) => {
        if (isDone) this.#end(window);
      },
      (error: unknown) => {
        if (!signal.aborted) this.#deps.onFatal(toMagpieError(error));
      },
    );
  }

  #end(window: CountWindow): void {
    this.#timers.delete(window);
    this.#windows.forget(window);
    this.#owner.changed();
  }

  #after(window: CountWindow, ms: number, run: () => void): void {
    this.#timers.set(window, this.#deps.clock.timeout(Math.max(0, ms), run));
  }

  #summaryOf({ rule }: CountWindow): Summary | undefined {
    return this.#inForce.target.pacing?.[rule]?.summary;
  }
}

/** What a summary names of an event; nothing where that cannot be told, for it is counted all the same. */
function valuesOf(event: Event, summary: Summary | undefined): Readonly<Record<string, string>> {
  try {
    return summary?.values(event) ?? {};
  } catch {
    return {};
  }
}
