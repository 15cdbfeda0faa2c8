import type { QuietHours } from '@magpie/routing';

/** What is known of quiet hours until their state changes. */
interface Known {
  readonly quiet: QuietHours;
  readonly since: number;
  readonly isQuiet: boolean;
  readonly until: number;
}

/** Tells whether it is quiet, and asks the hours only when that may have changed. */
export class QuietClock {
  #known: Known | undefined;

  /** When quiet hours end, in ms since the epoch; undefined while there are none. Called per delivery. */
  endOf(quiet: QuietHours | undefined, now: number): number | undefined {
    if (quiet === undefined) return undefined;
    const known = this.#known;
    const isCurrent = known?.quiet === quiet && known.since <= now && now < known.until;
    const { isQuiet, until } = isCurrent ? known : this.#ask(quiet, now);
    return isQuiet ? until : undefined;
  }

  #ask(quiet: QuietHours, since: number): Known {
    this.#known = { quiet, since, ...quiet.state(since) };
    return this.#known;
  }
}
