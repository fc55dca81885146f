import { Histogram, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';

/**
 * Counts on the message path in plain numbers, read at a scrape. prom-client's observe() builds and hashes a label set
 * each time: three calls took an eighth of the processor time of an echo (bench/cases/echo).
 */
export class Tally {
  private readonly counts: ByLabel<{ value: number }>;

  /** @param labels shown with 0 before anything is counted */
  constructor(labels: readonly string[] = []) {
    this.counts = new ByLabel(() => ({ value: 0 }), labels);
  }

  add(label: string, count = 1): void {
    this.counts.of(label).value += count;
  }

  *[Symbol.iterator](): Iterator<[string, number]> {
    for (const [label, { value }] of this.counts.all) yield [label, value];
  }
}

/** One item for each label. A label that comes twice in a row, as most do, is not looked up again. */
class ByLabel<T> {
  readonly all = new Map<string, T>();
  private label: string | undefined;
  private latest: T | undefined;

  constructor(
    private readonly create: () => T,
    labels: readonly string[],
  ) {
    for (const label of labels) this.all.set(label, create());
  }

  of(label: string): T {
    if (label === this.label && this.latest !== undefined) return this.latest;
    const found = this.all.get(label) ?? this.create();
    this.all.set(label, found);
    this.label = label;
    this.latest = found;
    return found;
  }
}

type Values = MetricValueWithName<string>[];

/** The distribution of values over fixed buckets. */
export class Distribution {
  private readonly counts: number[];
  private sum = 0;
  private total = 0;
  /** The largest value. */
  max = 0;

  /** @param bounds upper bounds, ascending, without +Inf */
  constructor(readonly bounds: readonly number[]) {
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.total += 1;
    if (value > this.max) this.max = value;
    const { bounds, counts } = this;
    for (let index = 0; index < bounds.length; index += 1) {
      if (value > (bounds[index] ?? 0)) continue;
      counts[index] = (counts[index] ?? 0) + 1;
      return;
    }
  }

  get count(): number {
    return this.total;
  }

  get mean(): number {
    return this.total === 0 ? 0 : this.sum / this.total;
  }

  /**
   * Estimates like `histogram_quantile` of Prometheus, but never beyond the largest value.
   *
   * @param share such as 0.99
   */
  quantile(share: number): number {
    const rank = share * this.total;
    let below = 0;
    for (const [index, bound] of this.bounds.entries()) {
      const count = this.counts[index] ?? 0;
      const floor = this.bounds[index - 1] ?? 0;
      if (count > 0 && below + count >= rank)
        return Math.min(this.max, floor + (bound - floor) * ((rank - below) / count));
      below += count;
    }
    return this.max;
  }

  /** Cumulative buckets, sum and count, as in Prometheus. */
  valuesOf(name: string, labels: Readonly<Record<string, string>> = {}): Values {
    let cumulative = 0;
    const buckets = this.bounds.map((le, index) => {
      cumulative += this.counts[index] ?? 0;
      return { labels: { le, ...labels }, value: cumulative, metricName: `${name}_bucket` };
    });
    return [
      ...buckets,
      { labels: { le: '+Inf', ...labels }, value: this.total, metricName: `${name}_bucket` },
      { labels, value: this.sum, metricName: `${name}_sum` },
      { labels, value: this.total, metricName: `${name}_count` },
    ];
  }
}

/** Distributions by a label. */
export class BucketTally {
  private readonly distributions: ByLabel<Distribution>;

  constructor(readonly bounds: readonly number[]) {
    this.distributions = new ByLabel(() => new Distribution(bounds), []);
  }

  observe(label: string, value: number): void {
    this.distributions.of(label).observe(value);
  }

  entries(): Iterable<[string, Distribution]> {
    return this.distributions.all.entries();
  }
}

interface TalliedHistogram {
  readonly name: string;
  readonly help: string;
}

/** A histogram of a distribution. */
export function tallyHistogram(tally: Distribution, { name, help }: TalliedHistogram): Histogram {
  return new TallyHistogram({ name, help, labelNames: [], buckets: [...tally.bounds] }, () => tally.valuesOf(name));
}

/**
 * A histogram of all values of a label.
 *
 * @param read all of them, over the same buckets
 */
export function tallyHistograms(
  { name, help, label, bounds }: TalliedHistogram & { readonly label: string; readonly bounds: readonly number[] },
  read: () => Iterable<readonly [value: string, distribution: Distribution]>,
): Histogram {
  return new TallyHistogram({ name, help, labelNames: [label], buckets: [...bounds] }, () =>
    [...read()].flatMap(([value, distribution]) => distribution.valuesOf(name, { [label]: value })),
  );
}

class TallyHistogram extends Histogram {
  constructor(
    private readonly description: TalliedHistogram & { readonly labelNames: string[]; readonly buckets: number[] },
    private readonly read: () => Values,
  ) {
    super({ ...description, registers: [] });
  }

  override get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help } = this.description;
    const object = { name, help, type: 'histogram', aggregator: 'sum', values: this.read() };
    // The type of prom-client wants an enum that it does not export, and its own get() returns no `collect` either.
    return Promise.resolve(object as unknown as MetricObjectWithValues<MetricValueWithName<string>>);
  }

  /** The first call of the registry. */
  getForPromString(): ReturnType<TallyHistogram['get']> {
    return this.get();
  }
}
