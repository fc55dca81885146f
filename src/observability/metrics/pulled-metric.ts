import { Counter, Gauge } from 'prom-client';

export interface LabelledMetric {
  readonly name: string;
  readonly help: string;
  readonly label: string;
}

/** The current numbers, by the value of the label. */
type ByLabel = Iterable<readonly [value: string, count: number]>;

/** @param read undefined: there is nothing to show */
export function pulledGauge(name: string, help: string, read: () => number | undefined): Gauge {
  return new Gauge({
    name,
    help,
    registers: [],
    collect() {
      const value = read();
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}

export function pulledGauges({ name, help, label }: LabelledMetric, read: () => ByLabel): Gauge {
  return new Gauge({
    name,
    help,
    registers: [],
    labelNames: [label],
    collect() {
      this.reset();
      for (const [value, count] of read()) this.set({ [label]: value }, count);
    },
  });
}

export function pulledCounter(name: string, help: string, read: () => number): Counter {
  return new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

export function pulledCounters({ name, help, label }: LabelledMetric, read: () => ByLabel | Promise<ByLabel>): Counter {
  return new Counter({
    name,
    help,
    registers: [],
    labelNames: [label],
    async collect() {
      const counts = await read();
      this.reset();
      for (const [value, count] of counts) this.inc({ [label]: value }, count);
    },
  });
}
