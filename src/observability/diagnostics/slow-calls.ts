import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DispatchEvents } from '../../dispatch/dispatch-events.js';

/** A message with a slow reply. */
export interface SlowCall {
  readonly type: string;
  readonly ms: number;
  /** Time of the reply, in milliseconds since 1970. */
  readonly at: number;
  readonly sessionId: string;
  /** `ok` or an error code. */
  readonly outcome: string;
}

/** Calls that are kept for a period, and for the one before. */
const KEPT = 100;
const PERIOD_MS = 300_000;
/** Faster calls are never slow, however idle the node is. */
const LEAST_MS = 1;

/**
 * The slowest calls of the last five to ten minutes. A call that is not among them costs the message path one
 * comparison.
 */
@Injectable()
export class SlowCalls implements OnModuleInit, OnApplicationShutdown {
  /** Slowest first. */
  private present: SlowCall[] = [];
  private former: readonly SlowCall[] = [];
  /** A call must be slower than this to be kept. */
  private bar = LEAST_MS;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly messages: DispatchEvents) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.turn(), PERIOD_MS).unref();
    this.messages.on('handled', (type, ms, { session, outcome }) => {
      if (ms > this.bar) this.add({ type, ms, at: Date.now(), sessionId: session.id, outcome });
    });
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Slowest first. */
  list(limit: number): readonly SlowCall[] {
    return [...this.former, ...this.present].sort((left, right) => right.ms - left.ms).slice(0, limit);
  }

  add(call: SlowCall): void {
    const { present } = this;
    const place = present.findIndex(({ ms }) => ms < call.ms);
    present.splice(place === -1 ? present.length : place, 0, call);
    if (present.length > KEPT) present.pop();
    if (present.length === KEPT) this.bar = Math.max(LEAST_MS, present.at(-1)?.ms ?? 0);
  }

  /** A period is over. */
  turn(): void {
    this.former = this.present;
    this.present = [];
    this.bar = LEAST_MS;
  }
}
