import { Injectable } from '@nestjs/common';
import { AggregatorRegistry, Registry } from 'prom-client';
import { Machine } from '../../lifecycle/machine.js';
import type { MetricsOfProcess } from '../../lifecycle/worker-messages.js';

interface MetricAsJson {
  readonly values: readonly { readonly labels: object }[];
}

/** The metrics of every process of the machine. */
@Injectable()
export class MachineMetrics {
  constructor(
    private readonly registry: Registry,
    private readonly machine: Machine,
  ) {
    machine.offerMetrics(() => registry.getMetricsAsJSON());
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** In the text format of Prometheus. With workers, every series has the label `worker`. */
  read(): Promise<string> {
    const { self } = this.machine;
    return self === undefined ? this.registry.metrics() : this.readAll(String(self.number));
  }

  private async readAll(name: string): Promise<string> {
    const [own, { metrics, missing }] = await Promise.all([this.registry.getMetricsAsJSON(), this.machine.collect()]);
    const all = [labelled(name, own), ...metrics.map(([other, each]) => labelled(other, each))];
    const text = await AggregatorRegistry.aggregate(all).metrics();
    // A scrape that lacks a process must not look like one that has it.
    return missing.length === 0 ? text : `# No answer from: ${missing.join(', ')}\n${text}`;
  }
}

/** With this label no two values are of one series, so that each is kept as it is. */
function labelled(worker: string, metrics: MetricsOfProcess): object[] {
  return (metrics as readonly MetricAsJson[]).map((metric) => ({
    ...metric,
    aggregator: 'sum',
    values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker } })),
  }));
}
