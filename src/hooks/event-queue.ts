import { randomUUID } from 'node:crypto';
import type { EventHook, HookEventType } from '../../config/hooks.js';
import type { HookClients } from './hook-clients.js';
import type { DropReason, HookEvents } from './hook-events.js';
import { HookFailure } from './hook-failure.js';

/** One event as the back end reads it. */
interface ToldEvent {
  readonly type: HookEventType;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly data: object;
}

interface PushOptions {
  /** Default: a new one. */
  readonly id?: string | undefined;
  /** Called when the back end has taken the event, or it was dropped. */
  readonly settled?: () => void;
}

interface Waiting {
  readonly event: ToldEvent;
  readonly settled: (() => void) | undefined;
}

interface Batch {
  /** Stays the same when the request is repeated, so that the back end can drop repetitions. */
  readonly id: string;
  readonly events: readonly Waiting[];
  /** When its first event happened, milliseconds since 1970. */
  readonly since: number;
  failures: number;
  /** Answers that this batch will never be taken. */
  refusals: number;
}

export interface EventQueueParts {
  readonly hook: Pick<EventHook, 'endpoint' | 'batch' | 'waitMs'>;
  readonly clients: Pick<HookClients, 'post'>;
  readonly events: Pick<HookEvents, 'emit'>;
}

/** Events that wait. Beyond it the oldest are dropped. About 10 MB. */
const MAX_WAITING = 50_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 60_000;
/** A batch that cannot be delivered for this long is dropped. */
const GIVE_UP_MS = 3_600_000;
/**
 * The back end has read the batch, and says that it will never take it. Other 4xx are about the endpoint, such as a secret
 * that was not changed on both sides: its operator can repair that within the hour.
 */
const REFUSALS: readonly number[] = [400, 410, 413, 415, 422];
/** Not at once: a deployment that is under way answers so, too. */
const MAX_REFUSALS = 5;

/**
 * Tells a back end of events, in the order in which they happened: one batch at a time, which is repeated until it is taken.
 * An event may arrive twice, with the same id.
 */
export class EventQueue {
  private waiting: Waiting[] = [];
  private current: Batch | undefined;
  private timer: NodeJS.Timeout | undefined;
  private idle: (() => void)[] = [];

  constructor(private readonly parts: EventQueueParts) {}

  push(type: HookEventType, data: object, { id = `evt_${randomUUID()}`, settled }: PushOptions = {}): void {
    this.waiting.push({ event: { type, id, at: Date.now(), data }, settled });
    if (this.waiting.length > MAX_WAITING) {
      this.drop(this.waiting.splice(0, this.waiting.length - MAX_WAITING), 'overflow');
    }
    if (this.current !== undefined) return;
    if (this.waiting.length >= this.parts.hook.batch) this.next();
    else this.timer ??= setTimeout(() => this.next(), this.parts.hook.waitMs);
  }

  /** Resolves when nothing waits any more, or drops what still does after this time. */
  async close(withinMs: number): Promise<void> {
    if (this.current === undefined) this.next();
    if (this.current === undefined) return;
    const flushed = new Promise<void>((resolve) => this.idle.push(resolve));
    const deadline = setTimeout(() => this.giveUp(), withinMs);
    await flushed;
    clearTimeout(deadline);
  }

  private next(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const events = this.waiting.splice(0, this.parts.hook.batch);
    const [first] = events;
    this.current = first && { id: `msg_${randomUUID()}`, events, since: first.event.at, failures: 0, refusals: 0 };
    if (this.current === undefined) for (const resolve of this.idle.splice(0)) resolve();
    else void this.tell(this.current);
  }

  private async tell(batch: Batch): Promise<void> {
    const { hook, clients } = this.parts;
    const data = batch.events.map(({ event }) => event);
    try {
      await clients.post(hook.endpoint, { type: 'events', id: batch.id, data }, () => ({}));
    } catch (error) {
      // Counted and logged by the clients.
      if (error instanceof HookFailure && REFUSALS.includes(error.status ?? 0)) batch.refusals += 1;
      return this.retryLater(batch);
    }
    for (const { settled } of batch.events) settled?.();
    if (this.current === batch) this.next();
  }

  private retryLater(batch: Batch): void {
    if (this.current !== batch) return;
    const isRefused = batch.refusals >= MAX_REFUSALS;
    if (isRefused || Date.now() - batch.since > GIVE_UP_MS) {
      this.drop(batch.events, isRefused ? 'refused' : 'too_old');
      return this.next();
    }
    const most = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** batch.failures);
    batch.failures += 1;
    this.timer = setTimeout(() => void this.tell(batch), Math.random() * most);
  }

  private giveUp(): void {
    clearTimeout(this.timer);
    this.drop([...(this.current?.events ?? []), ...this.waiting], 'stopped');
    this.waiting = [];
    this.next();
  }

  private drop(dropped: readonly Waiting[], reason: DropReason): void {
    if (dropped.length > 0) this.parts.events.emit('dropped', dropped.length, reason);
    for (const { settled } of dropped) settled?.();
  }
}
