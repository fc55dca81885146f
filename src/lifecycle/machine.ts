import { Inject, Injectable, Optional, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import type { WorkerIdentity } from '../../config/worker-identity.js';
import { LoadMeter } from './load-meter.js';
import { PrimaryChannel, ProcessChannel } from './primary-channel.js';
import { Readiness } from './readiness.js';
import type { FromPrimary, MetricsOfProcess, WorkerStatus } from './worker-messages.js';

const COLLECT_TIMEOUT_MS = 2_000;
/** Ten seconds. Less often than the primary misses a worker, and a change is told at once. */
const SAMPLES_A_BEAT = 20;

/** The metrics of the other processes. */
export interface Collected {
  readonly metrics: readonly (readonly [name: string, metrics: MetricsOfProcess])[];
  /** Names of the processes that did not answer. */
  readonly missing: readonly string[];
}

type Collector = (collected: Collected) => void;

/** The other processes of this machine, as the primary reports them. A server without workers is alone. */
@Injectable()
export class Machine implements OnModuleInit, OnApplicationShutdown {
  /** Undefined if this process is the only one. */
  readonly self: WorkerIdentity | undefined;
  /** All workers, including this one. */
  workers: readonly WorkerStatus[] = [];
  private readonly channel: PrimaryChannel | undefined;
  private readonly collectors = new Map<number, Collector>();
  private measure: () => Promise<MetricsOfProcess> = async () => [];
  private asked = 0;
  private samples = 0;
  private saidIsReady: boolean | undefined;

  constructor(
    @Inject(Settings) { workers }: Pick<Settings, 'workers'>,
    private readonly readiness: Readiness,
    private readonly meter: LoadMeter,
    @Optional() channel?: PrimaryChannel,
  ) {
    this.self = workers.self;
    this.channel = this.self && (channel ?? new ProcessChannel());
  }

  onModuleInit(): void {
    if (this.channel === undefined) return;
    this.channel.listen((message) => this.hear(message));
    this.meter.on('measured', () => {
      this.samples += 1;
      if (this.samples % SAMPLES_A_BEAT === 0 || this.readiness.isReady !== this.saidIsReady) this.report();
    });
    this.readiness.overload.on('changed', () => this.report());
  }

  onApplicationShutdown(): void {
    this.channel?.close();
  }

  /** Tells the primary that this worker lives, and whether it takes new clients. */
  report(): void {
    const { isReady } = this.readiness;
    this.saidIsReady = isReady;
    this.channel?.send({ says: 'alive', isReady });
  }

  /** @param measure gives the metrics of this process */
  offerMetrics(measure: () => Promise<MetricsOfProcess>): void {
    this.measure = measure;
  }

  /** The metrics of the other processes, as far as they answer in time. */
  collect(): Promise<Collected> {
    const { channel } = this;
    if (channel === undefined) return Promise.resolve({ metrics: [], missing: [] });
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve) => {
      const finish: Collector = (collected) => {
        clearTimeout(timer);
        this.collectors.delete(id);
        resolve(collected);
      };
      const timer = setTimeout(() => finish({ metrics: [], missing: ['primary'] }), COLLECT_TIMEOUT_MS);
      this.collectors.set(id, finish);
      channel.send({ says: 'collect', id });
    });
  }

  private hear(message: FromPrimary): void {
    if (message.says === 'machine') this.workers = message.workers;
    else if (message.says === 'collected') this.collectors.get(message.id)?.(message);
    else if (message.says === 'metrics_wanted') void this.answer(message.id);
  }

  private async answer(id: number): Promise<void> {
    const metrics = await this.measure().catch(() => undefined);
    // Without an answer, this process is missing in the reply.
    if (metrics !== undefined) this.channel?.send({ says: 'metrics', id, metrics });
  }
}
