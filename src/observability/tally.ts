import { Histogram, register, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';
import type { LabelledMetric } from './pulled-metric.js';

/**
 * Counts on the message path in plain numbers, read at a scrape. prom-client's own observe() builds and hashes
 * a label set each time: three of them took an eighth of the processor time of an echo (bench/cases/echo).
 */
export class Tally {
  private readonly counts = new Map<string, number>();

  add(label: string, count = 1): void {
    this.counts.set(label, (this.counts.get(label) ?? 0) + count);
  }

  [Symbol.iterator](): Iterator<[string, number]> {
    return this.counts.entries();
  }
}

/** The distribution of one label's values over fixed buckets. */
class Distribution {
  readonly counts: number[];
  sum = 0;
  total = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.total += 1;
    const { bounds, counts } = this;
    for (let index = 0; index < bounds.length; index += 1) {
      if (value > (bounds[index] ?? 0)) continue;
      counts[index] = (counts[index] ?? 0) + 1;
      return;
    }
  }
}

/** The same for distributions: values per label, over fixed buckets. */
export class BucketTally {
  private readonly distributions = new Map<string, Distribution>();

  /** @param bounds upper bounds, ascending, without +Inf */
  constructor(readonly bounds: readonly number[]) {}

  observe(label: string, value: number): void {
    let distribution = this.distributions.get(label);
    if (distribution === undefined) {
      distribution = new Distribution(this.bounds);
      this.distributions.set(label, distribution);
    }
    distribution.observe(value);
  }

  /** As Prometheus wants them: cumulative buckets, sum and count. */
  toValues(name: string, labelName: string): MetricValueWithName<string>[] {
    return [...this.distributions].flatMap(([label, { counts, sum, total }]) => {
      const labels = { [labelName]: label };
      let cumulative = 0;
      const buckets = this.bounds.map((le, index) => {
        cumulative += counts[index] ?? 0;
        return { labels: { le, ...labels }, value: cumulative, metricName: `${name}_bucket` };
      });
      return [
        ...buckets,
        { labels: { le: '+Inf', ...labels }, value: total, metricName: `${name}_bucket` },
        { labels, value: sum, metricName: `${name}_sum` },
        { labels, value: total, metricName: `${name}_count` },
      ];
    });
  }
}

/** A histogram that shows a bucket tally. */
export function tallyHistogram(tally: BucketTally, { name, help, label }: LabelledMetric): Histogram {
  register.removeSingleMetric(name);
  return new TallyHistogram(tally, { name, help, label });
}

class TallyHistogram extends Histogram {
  constructor(
    private readonly tally: BucketTally,
    private readonly description: LabelledMetric,
  ) {
    const { name, help, label } = description;
    super({ name, help, labelNames: [label], buckets: [...tally.bounds] });
  }

  override get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help, label } = this.description;
    const values = this.tally.toValues(name, label);
    const object = { name, help, type: 'histogram', aggregator: 'sum', values };
    // prom-client's type wants an enum that it does not export, and its own get() returns no `collect` either.
    return Promise.resolve(object as unknown as MetricObjectWithValues<MetricValueWithName<string>>);
  }

  /** What the registry asks for first. */
  getForPromString(): ReturnType<TallyHistogram['get']> {
    return this.get();
  }
}
