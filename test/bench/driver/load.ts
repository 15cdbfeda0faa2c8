import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener, Source } from './ends/ends.ts';
import { createFlow, type Flow } from './flow.ts';
import { observe } from './observe.ts';
import type { LatencyOrder, LatencyResult, ThroughputOrder, ThroughputResult } from './specification.ts';

/** Nothing at all arrives for so long: the run ends. */
const DEAD_MS = 9000;
/** Longest wait for what is still on its way at the end. */
const DRAIN_MS = 5000;
/** How often a run looks after itself. */
const WATCH_MS = 50;

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
  const flow = createFlow(source, copies);
  return {
    listener: flow.listener,
    throughput: async ({ window, together, stallMs, warmMs, ms, pids }) => {
      flow.reset();
      flow.open({ size: window, together });
      await run(flow, warmMs, stallMs);
      if (allRefused(flow)) throw new Error(`every message was refused: ${[...flow.refusals].join(', ')}`);
      const before = flow.counts.delivered;
      const watch = observe(pids);
      await run(flow, ms, stallMs);
      const observed = watch.end();
      const delivered = flow.counts.delivered - before;
      await drain(flow);
      return { ...flow.counts, ...observed, delivered };
    },
    latency: async ({ rate, warmMs, ms }) => {
      flow.reset();
      const paced = pace(rate, flow.send, () => source().room());
      const milliseconds: number[] = [];
      const measured = async (): Promise<Pick<LatencyResult, 'sent' | 'generator'>> => {
        await run(flow, warmMs);
        const watch = observe({});
        const first = flow.next;
        flow.onDelivered = (sequence, took) => {
          if (sequence >= first) milliseconds.push(took);
        };
        await run(flow, ms);
        return { sent: flow.next - first, generator: watch.end().generator };
      };
      const { sent, generator } = await measured().finally(() => paced.stop());
      await drain(flow);
      flow.onDelivered = undefined;
      return { milliseconds, sent, lost: flow.counts.lost, late: paced.late(), generator };
    },
  };
}

const allRefused = ({ counts: { refused, delivered } }: Flow): boolean => refused > 0 && delivered === 0;

/** Runs until `ms` have passed. What is on its way counts as lost when nothing has arrived for `stallMs`. */
async function run(flow: Flow, ms: number, stallMs = Number.POSITIVE_INFINITY): Promise<void> {
  const done = (): number => flow.counts.delivered + flow.counts.refused;
  const end = performance.now() + ms;
  let seen = done();
  let alive = performance.now();
  let moved = alive;
  for (let now = alive; now < end; now = performance.now()) {
    await sleep(Math.min(WATCH_MS, Math.max(1, end - now)));
    if (flow.failure) throw flow.failure;
    flow.fill();
    const time = performance.now();
    if (done() > seen || flow.outstanding === 0) [seen, alive, moved] = [done(), time, time];
    if (time - alive > DEAD_MS) throw new Error(`nothing arrived within ${DEAD_MS / 1000} s`);
    if (time - moved < stallMs) continue;
    flow.forget();
    moved = time;
  }
}

/** Stops sending and waits for what is on its way. */
async function drain(flow: Flow): Promise<void> {
  const end = performance.now() + DRAIN_MS;
  flow.open();
  while (flow.outstanding > 0 && performance.now() < end && !flow.failure) await sleep(10);
  if (flow.failure) throw flow.failure;
  flow.forget();
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
