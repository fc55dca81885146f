/** `waiting`: it has ended, and is started again after a pause. `closed`: it runs and takes no new clients. */
export const WORKER_STATES = ['starting', 'ready', 'closed', 'draining', 'waiting'] as const;

/** What the primary says about one worker. */
export interface WorkerStatus {
  readonly number: number;
  readonly state: (typeof WORKER_STATES)[number];
  /** Starts and runs that ended by themselves since it last ran for a minute. */
  readonly failures: number;
  /** Why it ended last, for operators; absent if it never did. */
  readonly lastEnd?: string | undefined;
}

/** Metrics of one process, as prom-client gives them as JSON. */
export type MetricsOfProcess = readonly object[];

export type FromWorker =
  | { readonly says: 'ready'; readonly port: number }
  /** It cannot start; the text is for operators. */
  | { readonly says: 'failed'; readonly reason: string }
  /** It lives, and this is whether it takes new clients. Said when it changes, and every ten seconds. */
  | { readonly says: 'alive'; readonly isReady: boolean }
  /** It accepts no more connections, and ends next. */
  | { readonly says: 'closed' }
  /** It wants the metrics of all processes. */
  | { readonly says: 'collect'; readonly id: number }
  | { readonly says: 'metrics'; readonly id: number; readonly metrics: MetricsOfProcess };

export type FromPrimary =
  | { readonly says: 'stop'; readonly cause: string }
  /** It hands no more connections to this worker. Those before this message have arrived. */
  | { readonly says: 'released' }
  /** All workers as they are now. */
  | { readonly says: 'machine'; readonly workers: readonly WorkerStatus[] }
  | { readonly says: 'metrics_wanted'; readonly id: number }
  /** The metrics of all other processes that answered, by name: `primary`, or the number of a worker. */
  | {
      readonly says: 'collected';
      readonly id: number;
      readonly metrics: readonly (readonly [name: string, metrics: MetricsOfProcess])[];
      readonly missing: readonly string[];
    };
