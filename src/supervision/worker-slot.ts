import { EventEmitter } from 'node:events';
import type { FromWorker, WorkerStatus } from '../lifecycle/worker-messages.js';
import { pauseAfter } from './backoff.js';
import type { StartWorker, WorkerExit, WorkerProcess } from './worker-process.js';

/** A worker that has been ready for this long is sound: earlier failures no longer count. */
export const SOUND_MS = 60_000;
/** A worker that says nothing for this long hangs, and is killed. A heap snapshot takes tens of seconds. */
export const SILENCE_MS = 90_000;
/** Beyond the time that it has for its drain. */
const KILL_AFTER_MS = 5_000;

export interface SlotOptions {
  readonly number: number;
  readonly start: StartWorker;
  readonly startTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** The port to listen on, if it is known. */
  readonly port: () => number | undefined;
  readonly greets: boolean;
}

interface SlotEvents {
  changed: [];
  ready: [port: number];
  /** It has ended without being asked to. `reason` is for operators. */
  failed: [reason: string, pauseMs: number];
  said: [message: FromWorker];
}

/** The place of one worker. It is filled again when its process ends. */
export class WorkerSlot extends EventEmitter<SlotEvents> {
  private state: WorkerStatus['state'] = 'starting';
  private process: WorkerProcess | undefined;
  private failures = 0;
  private lastEnd: string | undefined;
  private complaint: string | undefined;
  private hasGreeted = false;
  /** For the next step: a start that takes too long, a pause, or a worker that becomes sound. */
  private timer: NodeJS.Timeout | undefined;
  private silence: NodeJS.Timeout | undefined;

  constructor(private readonly options: SlotOptions) {
    super();
  }

  get number(): number {
    return this.options.number;
  }

  get status(): WorkerStatus {
    const { number, state, failures, lastEnd } = this;
    return { number, state, failures, ...(lastEnd !== undefined && { lastEnd }) };
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  begin(): void {
    const { number, start, startTimeoutMs, port, greets } = this.options;
    this.complaint = undefined;
    const process = start({ number, port: port(), greets: greets && !this.hasGreeted });
    this.process = process;
    this.become('starting');
    process.on('said', (message) => this.hear(message));
    process.once('exited', (exit) => this.ended(process, exit));
    this.wait(startTimeoutMs, () => this.giveUp(`it was not ready after ${startTimeoutMs} ms`));
  }

  send(message: Parameters<WorkerProcess['send']>[0]): void {
    this.process?.send(message);
  }

  /** Drains the worker. Resolves when its process has ended, at the latest a little after the time for a drain. */
  async stop(cause: string): Promise<void> {
    const { process } = this;
    clearTimeout(this.timer);
    this.become('draining');
    if (process === undefined) return;
    process.send({ says: 'stop', cause });
    this.wait(this.options.drainTimeoutMs + KILL_AFTER_MS, () => process.kill());
    await new Promise<void>((resolve) => void process.once('exited', () => resolve()));
  }

  kill(): void {
    this.process?.kill();
  }

  private hear(message: FromWorker): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.giveUp('it did not answer, and was killed'), SILENCE_MS).unref();
    if (message.says === 'ready') this.becomeReady(message.port);
    else if (message.says === 'failed') this.complaint = message.reason;
    else if (message.says === 'alive') this.follow(message.isReady);
    // node:cluster has heard of it before: the messages of a worker arrive in order.
    else if (message.says === 'closed') this.send({ says: 'released' });
    this.emit('said', message);
  }

  private becomeReady(port: number): void {
    if (this.state !== 'starting') return;
    this.hasGreeted = true;
    this.wait(SOUND_MS, () => {
      this.failures = 0;
      this.emit('changed');
    });
    this.become('ready');
    this.emit('ready', port);
  }

  /** An overloaded worker, or one that an operator drains, takes no new clients. */
  private follow(isReady: boolean): void {
    if (this.state === 'ready' && !isReady) this.become('closed');
    else if (this.state === 'closed' && isReady) this.become('ready');
  }

  private giveUp(complaint: string): void {
    this.complaint = complaint;
    this.process?.kill();
  }

  private ended(process: WorkerProcess, { code, signal }: WorkerExit): void {
    if (this.process !== process) return;
    this.process = undefined;
    clearTimeout(this.silence);
    clearTimeout(this.timer);
    if (this.state === 'draining') return;
    this.failures += 1;
    this.lastEnd = this.complaint ?? (signal === null ? `it exited with ${code}` : `it was killed by ${signal}`);
    const pauseMs = pauseAfter(this.failures);
    this.wait(pauseMs, () => this.begin());
    this.become('waiting');
    this.emit('failed', this.lastEnd, pauseMs);
  }

  private wait(ms: number, next: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(next, ms);
  }

  private become(state: WorkerStatus['state']): void {
    this.state = state;
    this.emit('changed');
  }
}
