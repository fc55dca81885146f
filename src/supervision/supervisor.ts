import { EventEmitter } from 'node:events';
import type { FromWorker, WorkerStatus } from '../lifecycle/worker-messages.js';
import type { StartWorker } from './worker-process.js';
import { WorkerSlot } from './worker-slot.js';

/** Failures in a row of every worker at which the primary gives up. */
export const MAX_FAILURES = 5;

export interface SupervisorOptions {
  readonly count: number;
  readonly start: StartWorker;
  readonly startTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** Whether all workers must listen on the port that the first one gets. */
  readonly isPortUnknown: boolean;
}

interface SupervisorEvents {
  /** The state of a worker has changed. */
  changed: [workers: readonly WorkerStatus[]];
  failed: [worker: number, reason: string, pauseMs: number];
  /** No worker can run. The primary must end. */
  hopeless: [reason: string];
  said: [worker: number, message: FromWorker];
}

/** Starts workers, starts those again that end, and replaces them one at a time. */
export class Supervisor extends EventEmitter<SupervisorEvents> {
  private readonly slots: readonly WorkerSlot[];
  /** Workers that ended without being asked to. */
  failures = 0;
  private port: number | undefined;
  private wasEverReady = false;
  private isStopping = false;
  private rolling: Promise<void> | undefined;

  constructor(private readonly options: SupervisorOptions) {
    super();
    const { count, isPortUnknown, ...others } = options;
    this.slots = Array.from({ length: count }, (_, index) => {
      const port = (): number | undefined => (isPortUnknown ? this.port : undefined);
      return this.watched(new WorkerSlot({ ...others, number: index + 1, port, greets: index === 0 }));
    });
  }

  get workers(): readonly WorkerStatus[] {
    return this.slots.map(({ status }) => status);
  }

  /** Numbers of the workers that have a process. */
  get running(): readonly number[] {
    return this.workers.filter(({ state }) => state !== 'waiting').map(({ number }) => number);
  }

  /**
   * Resolves with the port when every worker is ready or has failed once, and at least one is ready.
   *
   * @throws Error if none can start
   */
  async start(): Promise<number> {
    const [first, ...others] = this.slots;
    // The others listen on its port.
    const { isPortUnknown } = this.options;
    const goesOn = !isPortUnknown || first === undefined || (await this.begin(first));
    if (goesOn) await Promise.all((isPortUnknown ? others : this.slots).map((slot) => this.begin(slot)));
    if (this.port !== undefined) return this.port;
    throw new WorkersFailed(this.reason);
  }

  /** Replaces all workers, one at a time. Another call while it runs returns the same. */
  roll(): Promise<void> {
    this.rolling ??= this.replaceAll().finally(() => (this.rolling = undefined));
    return this.rolling;
  }

  /** Resolves when every worker has ended. */
  async stop(cause: string): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.slots.map((slot) => slot.stop(cause)));
  }

  kill(): void {
    for (const slot of this.slots) slot.kill();
  }

  send(worker: number, message: Parameters<WorkerSlot['send']>[0]): void {
    this.slots[worker - 1]?.send(message);
  }

  private watched(slot: WorkerSlot): WorkerSlot {
    slot.on('changed', () => this.tell());
    slot.on('said', (message) => this.emit('said', slot.number, message));
    slot.on('ready', (port) => {
      this.port ??= port;
      this.wasEverReady = true;
    });
    slot.on('failed', (reason, pauseMs) => {
      this.failures += 1;
      this.emit('failed', slot.number, reason, pauseMs);
      this.judge();
    });
    return slot;
  }

  private tell(): void {
    const { workers } = this;
    for (const slot of this.slots) slot.send({ says: 'machine', workers });
    this.emit('changed', workers);
  }

  private get reason(): string {
    const [worker] = this.workers.filter(({ lastEnd }) => lastEnd !== undefined);
    return worker === undefined ? 'no worker has started' : `worker ${worker.number}: ${worker.lastEnd}`;
  }

  /** Whether there is still hope that a worker runs. */
  private judge(): void {
    if (this.isStopping || !this.wasEverReady) return;
    const isLost = this.workers.every(({ failures, state }) => failures >= MAX_FAILURES && state !== 'ready');
    if (isLost) this.emit('hopeless', this.reason);
  }

  /** Resolves when the worker is ready or has failed. Returns whether it is ready. */
  private begin(slot: WorkerSlot): Promise<boolean> {
    const settled = new Promise<boolean>((resolve) => {
      const isReady = (): void => settle(true);
      const hasFailed = (): void => settle(false);
      const settle = (outcome: boolean): void => {
        slot.off('ready', isReady).off('failed', hasFailed);
        resolve(outcome);
      };
      slot.on('ready', isReady).on('failed', hasFailed);
    });
    slot.begin();
    return settled;
  }

  private async replaceAll(): Promise<void> {
    for (const slot of this.slots) {
      if (this.isStopping) return;
      const others = this.slots.filter((other) => other !== slot);
      if (others.length > 0 && !others.some(({ isReady }) => isReady))
        throw new WorkersFailed(`worker ${slot.number} is the only one that is ready`);
      await slot.stop('a rolling restart');
      if (this.isStopping) return;
      if (!(await this.begin(slot))) throw new WorkersFailed(`worker ${slot.number}: ${slot.status.lastEnd}`);
    }
  }
}

/** No worker can start, or a worker could not be replaced. The message is for operators. */
export class WorkersFailed extends Error {
  override readonly name = 'WorkersFailed';
}
