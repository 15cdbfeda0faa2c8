import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener, Source } from './ends.ts';
import { observe } from './observe.ts';
import type { LatencyOrder, LatencyResult, ThroughputOrder, ThroughputResult } from './specification.ts';

/** Messages whose state is known at a time; more than any window. */
const KNOWN = 1 << 20;
/** Nothing at all arrives for so long: the run ends. */
const DEAD_MS = 9000;
/** Longest wait for what is still on its way at the end. */
const DRAIN_MS = 5000;

/** A source and a sink under load. Runs follow each other; numbers go on from run to run. */
export interface Load {
  readonly listener: Listener;
  /** As fast as possible with a window. Rejects when an end fails or nothing arrives. */
  throughput(order: ThroughputOrder): Promise<ThroughputResult>;
  /** At a steady rate. Rejects as `throughput` does. */
  latency(order: LatencyOrder): Promise<LatencyResult>;
}

/** Makes the load for a contender. `source` is called once the ends are open; `copies` arrivals make a message delivered. */
export function createLoad(source: () => Source, copies: number): Load {
  const copiesOf = new Uint16Array(KNOWN);
  const sentAt = new Float64Array(KNOWN);
  const refusals = new Map<string, number>();
  let next = 0;
  /** Numbers below are no longer waited for. */
  let forgotten = 0;
  let outstanding = 0;
  let delivered = 0;
  let duplicates = 0;
  let lost = 0;
  let refused = 0;
  let window = 0;
  let together = 1;
  let stallMs = DEAD_MS;
  let failure: Error | undefined;
  let measure: ((sequence: number, ms: number) => void) | undefined;

  const send = (count: number): void => {
    const first = next;
    const now = performance.now();
    for (let sequence = first; sequence < first + count; sequence++) {
      copiesOf[sequence % KNOWN] = 0;
      sentAt[sequence % KNOWN] = now;
    }
    next += count;
    outstanding += count;
    source().send(first, count);
  };
  const fill = (): void => {
    const free = window - outstanding;
    if (free <= 0 || (free < together && outstanding > 0)) return;
    const count = Math.min(free, source().room());
    if (count > 0) send(count);
  };
  const forget = (): void => {
    lost += outstanding;
    outstanding = 0;
    forgotten = next;
  };
  const arrived = (sequence: number): void => {
    if (sequence < forgotten || sequence >= next) return;
    const slot = sequence % KNOWN;
    const count = copiesOf[slot]! + 1;
    copiesOf[slot] = count;
    if (count > copies) duplicates++;
    if (count !== copies) return;
    outstanding--;
    delivered++;
    measure?.(sequence, performance.now() - sentAt[slot]!);
  };
  const listener: Listener = {
    arrived,
    refused: (sequence, reason) => {
      if (sequence < forgotten) return;
      refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
      copiesOf[sequence % KNOWN] = copies;
      outstanding--;
      refused++;
    },
    settled: fill,
    failed: (error) => {
      failure ??= error;
    },
  };

  /** Runs until `ms` have passed, while it looks after stalls; `stop` ends it early. */
  const run = async (ms: number): Promise<void> => {
    const end = performance.now() + ms;
    let seen = delivered + refused;
    let alive = performance.now();
    let moved = alive;
    for (let now = alive; now < end; now = performance.now()) {
      await sleep(Math.min(50, Math.max(1, end - now)));
      if (failure) throw failure;
      if (window > 0) fill();
      if (delivered + refused > seen || outstanding === 0) {
        seen = delivered + refused;
        alive = performance.now();
        moved = alive;
      }
      if (performance.now() - alive > DEAD_MS) throw new Error(`nothing arrived within ${DEAD_MS / 1000} s`);
      if (window === 0 || performance.now() - moved < stallMs) continue;
      forget();
      moved = performance.now();
    }
  };
  const drain = async (): Promise<void> => {
    const end = performance.now() + DRAIN_MS;
    window = 0;
    while (outstanding > 0 && performance.now() < end && !failure) await sleep(10);
    if (failure) throw failure;
    forget();
  };
  const refusedAll = (): void => {
    if (refused === 0 || delivered > 0) return;
    throw new Error(`every message was refused: ${[...refusals.keys()].join(', ')}`);
  };

  return {
    listener,
    throughput: async (order) => {
      [lost, duplicates, refused, delivered] = [0, 0, 0, 0];
      ({ window, together, stallMs } = order);
      fill();
      await run(order.warmMs);
      refusedAll();
      const before = delivered;
      const watch = observe(order.pids);
      await run(order.ms);
      const observed = watch.end();
      const measured = delivered - before;
      await drain();
      return { ...observed, delivered: measured, duplicates, lost, refused };
    },
    latency: async (order) => {
      [lost, duplicates, refused, delivered] = [0, 0, 0, 0];
      await run(0);
      const paced = pace(order.rate, send, () => source().room());
      const milliseconds: number[] = [];
      await run(order.warmMs);
      refusedAll();
      const watch = observe({});
      const first = next;
      measure = (sequence, ms) => {
        if (sequence >= first) milliseconds.push(ms);
      };
      await run(order.ms).finally(() => paced.stop());
      const { generator } = watch.end();
      const sent = next - first;
      await drain();
      measure = undefined;
      return { milliseconds, sent, lost, late: paced.late(), generator };
    },
  };
}

/** Sends at a steady rate. What falls due while the event loop is busy goes out together, and is counted as late. */
function pace(rate: number, send: (count: number) => void, room: () => number) {
  const start = performance.now();
  const lateness: number[] = [];
  let sent = 0;
  const timer = setInterval(() => {
    const elapsed = performance.now() - start;
    const due = Math.min(Math.floor((elapsed * rate) / 1000) - sent, room());
    if (due <= 0) return;
    lateness.push(elapsed - (sent * 1000) / rate);
    sent += due;
    send(due);
  }, 1);
  return {
    stop: () => clearInterval(timer),
    late: () => lateness.sort((a, b) => a - b)[Math.floor(lateness.length * 0.99)] ?? 0,
  };
}
