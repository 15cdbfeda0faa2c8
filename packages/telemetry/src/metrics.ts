import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Histogram } from './histogram.ts';
import { METRICS, type MetricDefinition, type MetricTable } from './metric-table.ts';

/** The labels of a metric with their values; `{}` for a metric without labels. */
export type LabelsOf<D extends MetricDefinition> = Readonly<Record<D['labels'][number], string>>;

/** Counts. `by` is at least 0, 1 by default. */
export interface CounterHandle<L> {
  inc(labels: L, by?: number): void;
  /** The count for these labels; keep it when counting often. */
  series(labels: L): CounterSeries;
}

/** A count for one combination of labels. */
export interface CounterSeries {
  inc(by?: number): void;
}

/** A value that goes up and down. */
export interface GaugeHandle<L> {
  set(labels: L, value: number): void;
  /** Removes the value for these labels, for example with its target. */
  remove(labels: L): void;
}

/** Distributions of values. */
export interface HistogramHandle<L> {
  /** The distribution for these labels; keep it when observing often. */
  series(labels: L): HistogramSeries;
}

/** A distribution for one combination of labels; `value` in the unit of the metric's name. */
export interface HistogramSeries {
  observe(value: number): void;
}

type HandleOf<D extends MetricDefinition> = D['type'] extends 'counter'
  ? CounterHandle<LabelsOf<D>>
  : D['type'] extends 'gauge'
    ? GaugeHandle<LabelsOf<D>>
    : HistogramHandle<LabelsOf<D>>;

/** One handle per row of the table of metrics. */
export type MetricHandles = { readonly [K in keyof MetricTable]: HandleOf<MetricTable[K]> };

/** All metrics of one gateway. */
export interface Metrics extends MetricHandles {
  /** `Content-Type` of the text form. */
  readonly contentType: string;
  /** The Prometheus text form, after every `beforeExpose` callback has run. Called per scrape. */
  expose(): Promise<string>;
  /** Registers a callback that updates gauges before each scrape. It must not throw. */
  beforeExpose(update: () => void | Promise<void>): void;
}

/** Metrics besides the table. */
export interface MetricsOptions {
  /** Adds the usual `process_…` and `nodejs_…` metrics; for at most one gateway per process. */
  readonly process?: boolean;
}

/** Makes the metrics of one gateway, all at zero. Nothing is global: two gateways in one process stay separate. */
export function createMetrics({ process: ofProcess = false }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const histograms: Histogram[] = [];
  const updates: (() => void | Promise<void>)[] = [];
  if (ofProcess) collectDefaultMetrics({ register: registry });
  return {
    ...createHandles(registry, histograms),
    contentType: registry.contentType,
    beforeExpose: (update) => void updates.push(update),
    expose: async () => {
      for (const update of updates) await update();
      return [await registry.metrics(), ...histograms.map((each) => `${each.text()}\n`)].join('\n');
    },
  };
}

function createHandles(registry: Registry, histograms: Histogram[]): MetricHandles {
  return {
    buildInfo: gauge(METRICS.buildInfo, registry),
    connectionState: gauge(METRICS.connectionState, registry),
    connectionReconnects: counter(METRICS.connectionReconnects, registry),
    eventsReceived: counter(METRICS.eventsReceived, registry),
    eventsStored: counter(METRICS.eventsStored, registry),
    deliveries: counter(METRICS.deliveries, registry),
    deliverySeconds: histogram(METRICS.deliverySeconds, histograms),
    commitSeconds: histogram(METRICS.commitSeconds, histograms),
    commitEvents: histogram(METRICS.commitEvents, histograms),
    backlog: gauge(METRICS.backlog, registry),
    targetSuspended: gauge(METRICS.targetSuspended, registry),
    targetLagging: gauge(METRICS.targetLagging, registry),
    targetBlocked: gauge(METRICS.targetBlocked, registry),
    deadLettersKept: gauge(METRICS.deadLettersKept, registry),
    deadLetters: counter(METRICS.deadLetters, registry),
    streamSubscribers: gauge(METRICS.streamSubscribers, registry),
    httpRequests: counter(METRICS.httpRequests, registry),
    httpOverload: counter(METRICS.httpOverload, registry),
    adapter: counter(METRICS.adapter, registry),
  };
}

const base = ({ name, help, labels }: MetricDefinition, registry: Registry) => ({
  name,
  help,
  labelNames: [...labels],
  registers: [registry],
});

/** Counts are added up here and passed to the library at each scrape, because it hashes the labels of every call. */
function counter<D extends MetricDefinition>(definition: D, registry: Registry): CounterHandle<LabelsOf<D>> {
  const gathered = new Map<string, Tally<LabelsOf<D>>>();
  const made = new Counter({
    ...base(definition, registry),
    collect: () => {
      for (const tally of gathered.values()) made.inc({ ...tally.labels }, tally.take());
    },
  });
  const names: readonly (keyof LabelsOf<D>)[] = definition.labels;
  const series = (labels: LabelsOf<D>): CounterSeries => {
    let key = '';
    for (const name of names) key += `${labels[name]}\n`;
    const tally = gathered.get(key) ?? new Tally(labels);
    gathered.set(key, tally);
    return tally;
  };
  return { series, inc: (labels, by) => series(labels).inc(by) };
}

/** The count for one combination of labels since the last scrape. */
class Tally<L> implements CounterSeries {
  readonly labels: L;
  #count = 0;

  constructor(labels: L) {
    this.labels = labels;
  }

  inc(by = 1): void {
    this.#count += by;
  }

  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}

function gauge<D extends MetricDefinition>(definition: D, registry: Registry): GaugeHandle<LabelsOf<D>> {
  const made = new Gauge(base(definition, registry));
  return { set: (labels, value) => made.set({ ...labels }, value), remove: (labels) => made.remove({ ...labels }) };
}

/** Adds a histogram to those that are exposed besides the registry. */
function histogram<D extends MetricDefinition>(definition: D, exposed: Histogram[]): HistogramHandle<LabelsOf<D>> {
  const { name, help, labels, buckets = [] }: MetricDefinition = definition;
  const made = new Histogram({ name, help, buckets, labelled: labels.length > 0 });
  exposed.push(made);
  return { series: (labels) => made.series(labels) };
}
