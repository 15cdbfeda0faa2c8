import { Histogram, type MetricType, type Registry } from 'prom-client';

/** What a histogram is made of. */
export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  readonly registers: Registry[];
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library's types call it a number, its code a text
const TYPE = 'histogram' as unknown as MetricType;

/** The distribution for one combination of labels. */
class Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly #bounds: readonly number[];
  /** Values up to each bound and beyond the one before it, then those beyond the last. */
  readonly counts: number[];
  sum = 0;

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += value;
  }
}

/**
 * The library's histogram, counted here, because the library makes a text of the labels for every value. A
 * caller keeps what `series` gave it.
 */
export class CountedHistogram extends Histogram {
  readonly #bounds: readonly number[];
  readonly #name: string;
  readonly #help: string;
  readonly #series = new Map<string, Series>();

  constructor(options: HistogramOptions) {
    super({ ...options, buckets: [...options.buckets] });
    this.#bounds = options.buckets;
    this.#name = options.name;
    this.#help = options.help;
    if (options.labelNames.length === 0) this.series({});
  }

  /** The distribution for these labels, always the same. */
  series(labels: Readonly<Record<string, string>>): Pick<Series, 'observe'> {
    const key = JSON.stringify(labels);
    const series = this.#series.get(key) ?? new Series(labels, this.#bounds);
    this.#series.set(key, series);
    return series;
  }

  /** Everything counted so far. Called by the registry per scrape. */
  override get(): ReturnType<Histogram['get']> {
    return Promise.resolve({
      name: this.#name,
      help: this.#help,
      type: TYPE,
      aggregator: 'sum',
      collect: () => undefined,
      values: [...this.#series.values()].flatMap((series) => this.#valuesOf(series)),
    });
  }

  /** What the registry prefers to `get` where there is one. */
  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }

  #valuesOf({ labels, counts, sum }: Series) {
    let total = 0;
    const buckets = counts.map((count, index) => {
      total += count;
      const le = this.#bounds[index] ?? '+Inf';
      return { metricName: `${this.#name}_bucket`, labels: { le, ...labels }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: sum },
      { metricName: `${this.#name}_count`, labels, value: total },
    ];
  }
}
