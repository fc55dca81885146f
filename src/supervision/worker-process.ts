import { EventEmitter } from 'node:events';
import type { FromPrimary, FromWorker } from '../lifecycle/worker-messages.js';

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

interface WorkerProcessEvents {
  said: [message: FromWorker];
  /** Emitted once. */
  exited: [exit: WorkerExit];
}

/** A worker as its primary sees it. */
export abstract class WorkerProcess extends EventEmitter<WorkerProcessEvents> {
  abstract readonly pid: number;
  abstract send(message: FromPrimary): void;
  abstract kill(): void;
}

/** What a worker is started with. */
export interface WorkerOrder {
  readonly number: number;
  /** The port that the first worker got. */
  readonly port: number | undefined;
  readonly greets: boolean;
}

export type StartWorker = (order: WorkerOrder) => WorkerProcess;
