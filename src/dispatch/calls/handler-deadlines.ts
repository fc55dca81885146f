import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { isObservable, throwError, timeout, type Observable } from 'rxjs';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Invocation } from './direct-call.js';
import { DispatchSettings } from '../dispatch-settings.js';
import { DispatchEvents } from '../dispatch-events.js';
import { isFault } from '../error-reply.js';
import type { MessageContext } from './message-context.js';

const MIN_TICK_MS = 10;
const MAX_TICK_MS = 1_000;

/** A call of a handler without a reply yet. */
export interface RunningCall {
  /** The name of the handler. */
  readonly name: string;
  readonly context: MessageContext;
  /** On the performance.now() clock. */
  readonly beganAt: number;
}

interface Pending extends RunningCall {
  readonly expire: () => void;
}

/**
 * Replies TIMEOUT for handlers that take too long, so that their connection goes on with its next message. All calls
 * have the same time, so one timer watches the oldest. A timer for each message would cost more than the rest of its
 * deadline.
 */
@Injectable()
export class HandlerDeadlines implements OnApplicationShutdown {
  /** Oldest first. */
  private readonly pending = new Set<Pending>();
  /** Runs while a call has no reply. */
  private timer: NodeJS.Timeout | undefined;
  private readonly timeoutMs: number;
  private readonly tickMs: number;

  constructor(
    { handlerTimeoutMs }: DispatchSettings,
    private readonly events: DispatchEvents,
  ) {
    this.timeoutMs = handlerTimeoutMs;
    this.tickMs = Math.min(Math.max(handlerTimeoutMs / 4, MIN_TICK_MS), MAX_TICK_MS);
  }

  /** Running calls, oldest first. Undefined without a limit, because they are not tracked then. */
  get running(): ReadonlySet<RunningCall> | undefined {
    return this.timeoutMs === 0 ? undefined : this.pending;
  }

  onApplicationShutdown(): void {
    this.rest();
  }

  /**
   * Wraps an invocation; without a limit, returns it unchanged. A late reply is dropped. For a stream, the first value
   * counts.
   */
  limit(invoke: Invocation, name: string): Invocation {
    if (this.timeoutMs === 0) return invoke;
    return (context, data) => {
      const result = invoke(context, data);
      if (isObservable(result)) return this.withFirstValue(result);
      return isThenable(result) ? this.within(result, name, context) : result;
    };
  }

  private within(result: PromiseLike<unknown>, name: string, context: MessageContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const expire = (): void => {
        isOver = true;
        reject(new GatehouseError('TIMEOUT'));
      };
      const pending = { name, context, beganAt: performance.now(), expire };
      this.pending.add(pending);
      this.timer ??= setInterval(() => this.tick(), this.tickMs).unref();
      const end = (settle: () => void): void => {
        this.pending.delete(pending);
        settle();
      };
      result.then(
        (value) => end(() => resolve(isObservable(value) && !isOver ? this.withFirstValue(value) : value)),
        (exception: unknown) =>
          end(() => {
            // Nobody gets it any more, but a fault must still be logged.
            if (isOver && isFault(exception)) this.events.crash(name, exception, context);
            reject(exception);
          }),
      );
    });
  }

  private withFirstValue(stream: Observable<unknown>): Observable<unknown> {
    return stream.pipe(timeout({ first: this.timeoutMs, with: () => throwError(() => new GatehouseError('TIMEOUT')) }));
  }

  private tick(): void {
    this.expire(performance.now());
    if (this.pending.size === 0) this.rest();
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private expire(now: number): void {
    for (const pending of this.pending) {
      if (now - pending.beganAt < this.timeoutMs) return;
      this.pending.delete(pending);
      pending.expire();
    }
  }
}

function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === 'function';
}
