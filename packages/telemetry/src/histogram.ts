/** Definition of a histogram. */
export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  /** Whether it has labels; one without is exposed from the start, all at zero. */
  readonly labelled: boolean;
}

/** The distribution for one combination of labels. */
class Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly #bounds: readonly number[];
  /** Number of values per bucket, the last one for values above all bounds. */
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
 * Own histogram: prom-client's builds a text of the labels for every value, at twenty times the cost (ADR 0015).
 * Callers keep the result of `series`.
 */
export class Histogram {
  readonly #options: HistogramOptions;
  readonly #series = new Map<string, Series>();

  constructor(options: HistogramOptions) {
    this.#options = options;
    if (!options.labelled) this.series({});
  }

  /** The distribution for these labels; the same object every time. */
  series(labels: Readonly<Record<string, string>>): Pick<Series, 'observe'> {
    const key = JSON.stringify(labels);
    const series = this.#series.get(key) ?? new Series(labels, this.#options.buckets);
    this.#series.set(key, series);
    return series;
  }

  /**
   * Everything observed so far in the Prometheus text form, version 0.0.4: a line per bucket with the count of all values up
   * to its bound, then the sum and the count. Called per scrape.
   */
  text(): string {
    const { name, help } = this.#options;
    const lines = [...this.#series.values()].flatMap((series) => this.#linesOf(series));
    return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} histogram`, ...lines].join('\n');
  }

  #linesOf({ labels, counts, sum }: Series): string[] {
    const { name, buckets } = this.#options;
    let total = 0;
    const lines = counts.map((count, index) => {
      total += count;
      return `${name}_bucket${labelText({ le: `${buckets[index] ?? '+Inf'}`, ...labels })} ${total}`;
    });
    return [...lines, `${name}_sum${labelText(labels)} ${sum}`, `${name}_count${labelText(labels)} ${total}`];
  }
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');

/** `{name="value",…}`; nothing without labels. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
