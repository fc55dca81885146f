import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { DispatchEvents } from '../../dispatch/dispatch-events.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import { LineRate } from './line-rate.js';
import type { TapLine } from './tap.messages.js';
import { TapWatch, type TapFilter } from './tap-watch.js';

/** What a node is asked to watch. */
export interface WatchOrder {
  readonly tapId: string;
  /** The node of the operator. */
  readonly home: string;
  readonly filter: TapFilter;
  readonly showsPayload: boolean;
}

/** Lines of one tap, on their way to its home. */
export interface LineBatch {
  readonly tapId: string;
  readonly lines: readonly TapLine[];
}

interface Watch {
  readonly order: WatchOrder;
  readonly watch: TapWatch;
  readonly rate: LineRate;
  /** On the performance.now() clock. */
  renewedAt: number;
  waiting: TapLine[];
}

export const LINES_A_SECOND = 50;
/** Taps that one node watches for. Further ones are refused. */
export const MAX_WATCHES = 32;
/** A home renews its orders this often. */
export const RENEW_MS = 5_000;
/** A home that has not renewed its order for this long is gone. */
const FORGET_MS = 15_000;
/** Lines wait this long, so that they travel together. */
const BATCH_MS = 200;
export const WATCH = 'tap-watch';
export const UNWATCH = 'tap-unwatch';
export const LINES = 'tap-lines';

/** What this node watches, for taps of any node. */
@Injectable()
export class TapWatches implements OnApplicationShutdown {
  private readonly watches = new Map<string, Watch>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly sessions: SessionRegistry,
    private readonly messages: DispatchEvents,
  ) {
    bus.handle(WATCH, (payload) => this.begin(payload as WatchOrder));
    bus.handle(UNWATCH, (payload) => this.end(payload as string));
  }

  /** Number of taps that this node watches for. */
  get size(): number {
    return this.watches.size;
  }

  /** Begins to watch, or goes on. Returns false if this node watches for too many taps already. */
  begin(order: WatchOrder, deliver = this.sendHome(order)): boolean {
    const present = this.watches.get(order.tapId);
    if (present) {
      present.renewedAt = performance.now();
      return true;
    }
    if (this.watches.size >= MAX_WATCHES) return false;
    const rate = new LineRate(LINES_A_SECOND);
    const { tapId, filter, showsPayload } = order;
    const { sessions, messages, registry } = this;
    const watch = new TapWatch({
      filter,
      showsPayload,
      sessions,
      messages,
      take: (line) => {
        const leftOut = rate.take(performance.now());
        if (leftOut === undefined) return;
        const seen = { tapId, at: Date.now(), node: registry.self.nodeId, ...line() };
        deliver(leftOut > 0 ? { ...seen, leftOut } : seen);
      },
    });
    this.watches.set(tapId, { order, watch, rate, renewedAt: performance.now(), waiting: [] });
    this.timer ??= setInterval(() => this.sweep(performance.now()), RENEW_MS).unref();
    return true;
  }

  end(tapId: string): void {
    this.watches.get(tapId)?.watch.stop();
    this.watches.delete(tapId);
    if (this.watches.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Ends what no home renews any more. @param now on the performance.now() clock */
  sweep(now: number): void {
    const { nodeId } = this.registry.self;
    for (const [tapId, { order, renewedAt }] of this.watches) {
      if (order.home !== nodeId && now - renewedAt > FORGET_MS) this.end(tapId);
    }
  }

  onApplicationShutdown(): void {
    for (const tapId of this.watches.keys()) this.end(tapId);
  }

  private sendHome({ tapId, home }: WatchOrder): (line: TapLine) => void {
    return (line) => {
      const watch = this.watches.get(tapId);
      if (watch === undefined) return;
      if (watch.waiting.length === 0) setTimeout(() => this.flush(watch, home), BATCH_MS).unref();
      watch.waiting.push(line);
    };
  }

  private flush(watch: Watch, home: string): void {
    const lines = watch.waiting;
    watch.waiting = [];
    this.bus.tell(LINES, { tapId: watch.order.tapId, lines } satisfies LineBatch, [home]);
  }
}
