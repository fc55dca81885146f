import type { OptionalFactoryDependency, Provider, Type } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Counter, Histogram } from 'prom-client';
import type { LabelledMetric } from './pulled-metric.js';

/** The source of the events: a class, or an optional provider. */
type SourceToken<Source> = Type<Source> | OptionalFactoryDependency;

interface EventCounter<Source> {
  readonly name: string;
  readonly help: string;
  /** Called once. Calls `count` for each event. */
  readonly listen: (source: Source, count: (by?: number) => void) => void;
}

interface EventCounters<Source> extends LabelledMetric {
  /**
   * The values of the label, if they are known. Shown with 0 from the first scrape, because a series that begins with 1
   * has no increase, and the first event would not show.
   */
  readonly values: readonly string[];
  readonly listen: (source: Source, count: (value: string, by?: number) => void) => void;
}

interface EventHistogram<Source> {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending, without +Inf. */
  readonly buckets: readonly number[];
  readonly listen: (source: Source, observe: (value: number) => void) => void;
}

/** Counts events of connections and the like. Events of every message are in MessageTallies. */
export function eventCounter<Source>(source: SourceToken<Source>, metric: EventCounter<Source>): Provider {
  const { name, help, listen } = metric;
  return provided(source, name, (events: Source) => {
    const counter = new Counter({ name, help, registers: [] });
    listen(events, (by) => counter.inc(by));
    return counter;
  });
}

/** Counts by one label. */
export function eventCounters<Source>(source: SourceToken<Source>, metric: EventCounters<Source>): Provider {
  const { name, help, label, values, listen } = metric;
  return provided(source, name, (events: Source) => {
    const counter = countersOf({ name, help, label }, values);
    listen(events, (value, by) => counter.inc({ [label]: value }, by));
    return counter;
  });
}

/** The distribution of values in events. */
export function eventHistogram<Source>(source: SourceToken<Source>, metric: EventHistogram<Source>): Provider {
  const { name, help, buckets, listen } = metric;
  return provided(source, name, (events: Source) => {
    const histogram = new Histogram({ name, help, buckets: [...buckets], registers: [] });
    listen(events, (value) => histogram.observe(value));
    return histogram;
  });
}

/**
 * A counter for an observer that injects it with InjectMetric.
 *
 * @param values as above
 */
export function countersFor(metric: LabelledMetric, values: readonly string[]): Provider {
  return { provide: getToken(metric.name), useFactory: () => countersOf(metric, values) };
}

function countersOf({ name, help, label }: LabelledMetric, values: readonly string[]): Counter {
  const counter = new Counter({ name, help, labelNames: [label], registers: [] });
  for (const value of values) counter.inc({ [label]: value }, 0);
  return counter;
}

function provided<Source>(
  source: SourceToken<Source>,
  name: string,
  useFactory: (events: Source) => unknown,
): Provider {
  return { provide: getToken(name), inject: [source], useFactory };
}
