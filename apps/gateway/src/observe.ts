import type { CoreObserver } from '@magpie/core';
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
    state: (connection, state) => metrics.connectionState.set({ connection }, state === 'up' ? 1 : 0),
    adapter: (connection, counter, by) => metrics.adapter.inc({ connection, counter }, by),
  };
}
