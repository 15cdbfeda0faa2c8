/** Logs and metrics: every name in one table, nothing global. */
export {
  createLogger,
  LOG_LEVELS,
  type LoggerOptions,
  type LogLevel,
  type LogOutput,
} from './logger.ts';
export { LABELS, METRICS, type MetricDefinition } from './metric-table.ts';
export {
  type CounterHandle,
  type CounterSeries,
  createMetrics,
  type GaugeHandle,
  type HistogramHandle,
  type HistogramSeries,
  type Metrics,
  type MetricsOptions,
} from './metrics.ts';
export { telemetryReference } from './reference.ts';
