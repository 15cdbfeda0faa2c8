import type { EventLog } from '@magpie/bus';
import type { CoreObserver, Gateway } from '@magpie/core';
import type { Target } from '@magpie/routing';
import type { CounterSeries, HistogramSeries, Metrics } from '@magpie/telemetry';

/** How often each type occurs in a batch. */
function countsOf(results: readonly { readonly type: string }[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { type } of results) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

/** The counters of one target. */
interface TargetSeries {
  readonly seconds: HistogramSeries;
  readonly results: Map<string, CounterSeries>;
}

/** Feeds the core's observations into metrics. */
export function observe(metrics: Metrics): CoreObserver {
  const known = new WeakMap<Target, TargetSeries>();
  const seriesOf = (target: Target): TargetSeries => {
    const { connection } = target;
    const series = known.get(target) ?? { seconds: metrics.deliverySeconds.series({ connection }), results: new Map() };
    known.set(target, series);
    return series;
  };
  return {
    received: (connection, results) => {
      for (const [result, count] of countsOf(results)) metrics.eventsReceived.inc({ connection, result }, count);
    },
    delivered: (target, result, ms) => {
      const { seconds, results } = seriesOf(target);
      let count = results.get(result);
      if (!count) {
        count = metrics.deliveries.series({ route: target.route, target: target.consumer, result });
        results.set(result, count);
      }
      count.inc();
      if (ms !== undefined) seconds.observe(ms / 1000);
    },
    state: (connection, state) => {
      metrics.connectionState.set({ connection }, state === 'up' ? 1 : 0);
      if (state === 'waiting') metrics.connectionReconnects.inc({ connection });
    },
    adapter: (connection, counter, by) => metrics.adapter.inc({ connection, counter }, by),
  };
}

/** The same log with its commits measured. `onDeadLetters` is called after dead letters were written or removed. */
export function measured(log: EventLog, metrics: Metrics, onDeadLetters: () => void): EventLog {
  const seconds = metrics.commitSeconds.series({});
  const events = metrics.commitEvents.series({});
  return {
    ...log,
    commit: async (change) => {
      const started = performance.now();
      const results = await log.commit(change);
      seconds.observe((performance.now() - started) / 1000);
      const stored = results.filter(({ type }) => type === 'stored').length;
      if (stored > 0) metrics.eventsStored.inc({}, stored);
      if (change.append && change.append.length > 0) events.observe(change.append.length);
      for (const { reason } of change.deadLetters?.put ?? []) metrics.deadLetters.inc({ reason });
      if (change.deadLetters) onDeadLetters();
      return results;
    },
  };
}

/** Gauges that are read at each scrape. */
export function observeGauges(metrics: Metrics, gateway: Gateway, log: Pick<EventLog, 'stats'>): void {
  metrics.buildInfo.set({ version: gateway.version, node: process.version }, 1);
  const { backlog, targetSuspended, targetLagging, targetBlocked } = metrics;
  let known: readonly string[] = [];
  metrics.beforeExpose(async () => {
    const targets = gateway.targets();
    for (const target of known) {
      for (const gauge of [backlog, targetSuspended, targetLagging, targetBlocked]) gauge.remove({ target });
    }
    for (const { consumer: target, waiting, flying, held, blocked, suspended, lagging } of targets) {
      backlog.set({ target }, waiting + flying + held);
      targetSuspended.set({ target }, Number(suspended));
      targetLagging.set({ target }, Number(lagging));
      targetBlocked.set({ target }, blocked);
    }
    known = targets.map(({ consumer }) => consumer);
    // A failed log ends the gateway anyway; until then the other metrics are still useful.
    const stats = await log.stats().catch(() => undefined);
    if (stats) metrics.deadLettersKept.set({}, stats.deadLetters);
  });
}
