import type { FromPrimary, FromWorker, MetricsOfProcess } from '../lifecycle/worker-messages.js';

/** Sooner than the worker that asks stops waiting. */
const PATIENCE_MS = 1_500;
export const PRIMARY = 'primary';

export interface ExchangeParts {
  /** Numbers of the workers that run. */
  readonly workers: () => readonly number[];
  readonly send: (worker: number, message: FromPrimary) => void;
  /** The metrics of the primary. */
  readonly own: () => Promise<MetricsOfProcess>;
}

interface Round {
  readonly awaited: Set<number>;
  readonly came: [name: string, metrics: MetricsOfProcess][];
  readonly finish: () => void;
}

/** Collects the metrics of all processes for the worker that was scraped. */
export class MetricsExchange {
  private readonly rounds = new Map<number, Round>();
  private last = 0;

  constructor(private readonly parts: ExchangeParts) {}

  hear(worker: number, message: FromWorker): void {
    if (message.says === 'collect') void this.collect(worker, message.id);
    else if (message.says === 'metrics') this.take(worker, message.id, message.metrics);
  }

  private async collect(asking: number, idOfAsking: number): Promise<void> {
    this.last += 1;
    const id = this.last;
    const others = this.parts.workers().filter((number) => number !== asking);
    const awaited = new Set(others);
    const came: Round['came'] = [];
    const answered = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      const finish = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.rounds.set(id, { awaited, came, finish });
      if (others.length === 0) finish();
    });
    for (const worker of others) this.parts.send(worker, { says: 'metrics_wanted', id });
    const [own] = await Promise.all([this.parts.own(), answered]);
    this.rounds.delete(id);
    const metrics = [[PRIMARY, own] as const, ...came];
    this.parts.send(asking, { says: 'collected', id: idOfAsking, metrics, missing: [...awaited].map(String) });
  }

  private take(worker: number, id: number, metrics: MetricsOfProcess): void {
    const round = this.rounds.get(id);
    if (!round?.awaited.delete(worker)) return;
    round.came.push([String(worker), metrics]);
    if (round.awaited.size === 0) round.finish();
  }
}
