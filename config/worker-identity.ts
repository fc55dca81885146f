import type { Environment } from './setting.js';

/** Set by the primary for each worker, and by nobody else. */
export const WORKER_VARIABLE = 'GATEHOUSE_WORKER';

/** One of several processes that share a port. */
export interface WorkerIdentity {
  /** 1, 2, 3 … A worker that is started again keeps its number. */
  readonly number: number;
  readonly count: number;
  /** The SERVER_ID of the machine. */
  readonly serverId: string;
  /** The port that the first worker got, if PORT is 0. */
  readonly port?: number | undefined;
  /** The unix socket of the engine in the primary; undefined with Redis. */
  readonly engine?: string | undefined;
  /** The secret that the primary made, if it made one. */
  readonly developmentSecret?: string | undefined;
  /** Whether it tells a person at a terminal where the server is. */
  readonly greets: boolean;
}

/** Returns undefined in a process that no primary has started. */
export function workerOfProcess(environment: Environment = process.env): WorkerIdentity | undefined {
  const text = environment[WORKER_VARIABLE];
  return text === undefined ? undefined : (JSON.parse(text) as WorkerIdentity);
}
