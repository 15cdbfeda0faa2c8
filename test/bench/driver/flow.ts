import type { Listener, Source } from './ends/ends.ts';

/** Messages whose state is known at a time; more than any window. */
const KNOWN = 1 << 20;

/** How many messages may be on their way. */
export interface Window {
  readonly size: number;
  /** Least number of messages sent at a time, as long as others are on their way. */
  readonly together: number;
}

/** Nothing is sent by itself. */
const SHUT: Window = { size: 0, together: 1 };

/** What became of the messages since the last reset. */
export interface Counts {
  delivered: number;
  duplicates: number;
  lost: number;
  refused: number;
}

/** Sends numbered messages and knows which of them have arrived. Numbers are never used twice, so that a late one is recognized. */
export interface Flow {
  /** For both ends. */
  readonly listener: Listener;
  readonly counts: Readonly<Counts>;
  /** The number of the next message. */
  readonly next: number;
  /** How many are on their way. */
  readonly outstanding: number;
  /** Why an end cannot go on. */
  readonly failure: Error | undefined;
  /** Why messages were refused. */
  readonly refusals: ReadonlySet<string>;
  /** Called per delivered message with how long it took. */
  onDelivered: ((sequence: number, ms: number) => void) | undefined;
  /** Opens a window, which is kept full from now on; without one, nothing is sent by itself. */
  open(window?: Window): void;
  /** Fills the window. */
  fill(): void;
  send(count: number): void;
  /** Gives up what is on its way: it counts as lost. */
  forget(): void;
  /** Counts from 0 again. */
  reset(): void;
}

/** Makes the flow of one contender; `copies` arrivals make a message delivered. */
export function createFlow(source: () => Source, copies: number): Flow {
  const copiesOf = new Uint16Array(KNOWN);
  const sentAt = new Float64Array(KNOWN);
  const counts: Counts = { delivered: 0, duplicates: 0, lost: 0, refused: 0 };
  const refusals = new Set<string>();
  let window = SHUT;
  /** Numbers below are no longer waited for. */
  let forgotten = 0;

  const arrived = (sequence: number): void => {
    if (sequence < forgotten || sequence >= flow.next) return;
    const slot = sequence % KNOWN;
    const count = copiesOf[slot]! + 1;
    copiesOf[slot] = count;
    if (count > copies) counts.duplicates++;
    if (count !== copies) return;
    flow.outstanding--;
    counts.delivered++;
    flow.onDelivered?.(sequence, performance.now() - sentAt[slot]!);
  };
  const refused = (sequence: number, reason: string): void => {
    if (sequence < forgotten) return;
    refusals.add(reason);
    copiesOf[sequence % KNOWN] = copies;
    flow.outstanding--;
    counts.refused++;
  };
  const fill = (): void => {
    const free = window.size - flow.outstanding;
    if (free <= 0 || (free < window.together && flow.outstanding > 0)) return;
    const count = Math.min(free, source().room());
    if (count > 0) flow.send(count);
  };
  const failed = (error: Error): void => {
    flow.failure ??= error;
  };
  const flow = {
    ...{ counts, refusals, next: 0, outstanding: 0 },
    failure: undefined as Error | undefined,
    onDelivered: undefined as Flow['onDelivered'],
    listener: { arrived, refused, settled: fill, failed },
    open: (wanted: Window = SHUT): void => {
      window = wanted;
      fill();
    },
    fill,
    send: (count: number): void => {
      const first = flow.next;
      copiesOf.fill(0, first % KNOWN, (first % KNOWN) + count);
      if ((first % KNOWN) + count > KNOWN) copiesOf.fill(0, 0, ((first % KNOWN) + count) % KNOWN);
      const now = performance.now();
      for (let sequence = first; sequence < first + count; sequence++) sentAt[sequence % KNOWN] = now;
      flow.next += count;
      flow.outstanding += count;
      source().send(first, count);
    },
    forget: (): void => {
      counts.lost += flow.outstanding;
      flow.outstanding = 0;
      forgotten = flow.next;
    },
    reset: (): void => void Object.assign(counts, { delivered: 0, duplicates: 0, lost: 0, refused: 0 }),
  };
  return flow;
}
