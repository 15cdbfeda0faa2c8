import type { EventLog } from '@magpie/bus';
import type { CoreObserver, Gateway } from '@magpie/core';
import type { Metrics } from '@magpie/telemetry';

/** Feeds the core's observations into metrics. */
export function observe(metrics: Metrics): CoreObserver {
  return {
    received: (connection, results) => {
      for (const { type } of results) metrics.eventsReceived.inc({ connection, result: type });
    },
    delivered: ({ route, id, connection }, result, ms) => {
      metrics.deliveries.inc({ route, target: id, result });
      if (ms !== undefined) metrics.deliverySeconds.observe({ connection }, ms / 1000);
    },
    state: (connection, state) => {
      metrics.connectionState.set({ connection }, state === 'up' ? 1 : 0);
      if (state === 'waiting') metrics.connectionReconnects.inc({ connection });
    },
    adapter: (connection, counter, by) => metrics.adapter.inc({ connection, counter }, by),
  };
}

/** The same log, its commits measured. */
export function measured(log: EventLog, metrics: Metrics): EventLog {
  return {
    ...log,
    commit: async (change) => {
      const started = performance.now();
      const results = await log.commit(change);
      metrics.commitSeconds.observe({}, (performance.now() - started) / 1000);
      const stored = results.filter(({ type }) => type === 'stored').length;
      if (stored > 0) metrics.eventsStored.inc({}, stored);
      if (change.append && change.append.length > 0) metrics.commitEvents.observe({}, change.append.length);
      for (const { reason } of change.deadLetters?.put ?? []) metrics.deadLetters.inc({ reason });
      return results;
    },
  };
}

/** Gauges that are read when somebody looks. */
export function observeGauges(metrics: Metrics, gateway: Gateway): void {
  metrics.buildInfo.set({ version: gateway.version, node: process.version }, 1);
  metrics.beforeExpose(() => {
    for (const { consumer, waiting, flying } of gateway.targets()) {
      metrics.backlog.set({ target: consumer }, waiting + flying);
    }
  });
}
