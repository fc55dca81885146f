import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EventEmitter } from 'node:events';
import { randomUUID } from 'node:crypto';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { SessionEvents } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import { ApiEvents } from '../api-events.js';
import { LineRate } from './line-rate.js';
import type { StartTap, TAP_ENDS, TapEnd, TapLine, TapStarted } from './tap.messages.js';
import type { TapFilter } from './tap-watch.js';
import {
  LINES,
  LINES_A_SECOND,
  RENEW_MS,
  TapWatches,
  UNWATCH,
  WATCH,
  type LineBatch,
  type WatchOrder,
} from './tap-watches.js';

/** A tap that an operator of this node has begun. */
interface Tap {
  readonly order: WatchOrder;
  readonly session: Session;
  readonly endsAt: number;
  readonly rate: LineRate;
}

interface TapEvents {
  /** A line was sent to the operator; so many were left out before it. */
  line: [leftOut: number];
}

const MAX_MS = 600_000;
/** Taps that operators of one node have at the same time. */
const MAX_TAPS = 10;
const ROLE = 'ADMIN';

/**
 * The taps that operators of this node have begun: asks all nodes to watch, and sends what they see. A session has one
 * tap at most. Nothing runs, listens or is asked while there is none.
 */
@Injectable()
export class Taps extends EventEmitter<TapEvents> implements OnModuleInit {
  private readonly taps = new Map<Session, Tap>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly watches: TapWatches,
    private readonly sessions: SessionEvents,
    private readonly api: ApiEvents,
  ) {
    super();
    bus.handle(LINES, (payload) => this.arrived(payload as LineBatch));
  }

  onModuleInit(): void {
    this.sessions.on('closed', (session) => this.stop(session));
    this.sessions.on('renewed', (session) => {
      if (!session.roles.includes(ROLE)) this.finish(session, 'rights');
    });
  }

  /** Number of taps of this node. */
  get size(): number {
    return this.taps.size;
  }

  /**
   * Begins a tap. The former tap of the session ends.
   *
   * @throws GatehouseError VALIDATION_FAILED, or SERVER_BUSY if this node has too many taps
   */
  async start(session: Session, request: StartTap): Promise<TapStarted> {
    const filter = filterOf(request);
    this.stop(session);
    if (this.taps.size >= MAX_TAPS) throw busy();
    const { nodeId: home } = this.registry.self;
    const order = { tapId: randomUUID(), home, filter, showsPayload: request.payload === true };
    const tap: Tap = { order, session, endsAt: Date.now() + MAX_MS, rate: new LineRate(LINES_A_SECOND) };
    if (!this.watches.begin(order, (line) => this.send(tap, line))) throw busy();
    this.taps.set(session, tap);
    this.timer ??= setInterval(() => this.tick(Date.now()), RENEW_MS).unref();
    this.audit(tap, order.showsPayload ? 'tap-with-payloads' : 'tap');
    const { received, missing } = await this.bus.ask<boolean>(WATCH, order);
    const others = [...received];
    return {
      tapId: order.tapId,
      endsAt: tap.endsAt,
      nodes: [home, ...others.filter(([, isWatching]) => isWatching).map(([nodeId]) => nodeId)],
      missing: [...missing, ...others.filter(([, isWatching]) => !isWatching).map(([nodeId]) => nodeId)],
    };
  }

  /** Returns false if the session had no tap. */
  stop(session: Session): boolean {
    const tap = this.taps.get(session);
    if (tap === undefined) return false;
    this.taps.delete(session);
    const { tapId } = tap.order;
    this.watches.end(tapId);
    this.bus.tell(UNWATCH, tapId);
    this.audit(tap, 'tap-end');
    if (this.taps.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    return true;
  }

  /** Ends taps whose time is over, and renews the others, also at nodes that have just started. */
  tick(now: number): void {
    for (const { session, order, endsAt } of this.taps.values()) {
      if (now >= endsAt) this.finish(session, 'time');
      else this.bus.tell(WATCH, order);
    }
  }

  private finish(session: Session, reason: (typeof TAP_ENDS)[number]): void {
    const tap = this.taps.get(session);
    if (!this.stop(session) || tap === undefined) return;
    const data: TapEnd = { tapId: tap.order.tapId, reason };
    session.send({ type: 'tap.end', data });
  }

  private arrived({ tapId, lines }: LineBatch): void {
    const tap = [...this.taps.values()].find(({ order }) => order.tapId === tapId);
    if (tap) for (const line of lines) this.send(tap, line);
  }

  private send({ session, rate }: Tap, line: TapLine): void {
    if (line.leftOut !== undefined) rate.add(line.leftOut);
    const leftOut = rate.take(performance.now());
    if (leftOut === undefined) return;
    const { leftOut: _, ...seen } = line;
    if (session.send({ type: 'tap.line', data: leftOut > 0 ? { ...seen, leftOut } : seen })) this.emit('line', leftOut);
  }

  private audit({ order, session }: Tap, action: string): void {
    const [field = '', value = ''] = Object.entries(order.filter)[0] ?? [];
    this.api.emit('audited', { who: session.userId, action, target: `${field} ${value}`, outcome: 'done' });
  }
}

function filterOf({ userId, sessionId, channel, type }: StartTap): TapFilter {
  const given = Object.entries({ userId, sessionId, channel, type }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const details = { tap: ['needs exactly one of userId, sessionId, channel and type'] };
    throw new GatehouseError('VALIDATION_FAILED', { details });
  }
  return Object.fromEntries(given) as TapFilter;
}

function busy(): GatehouseError {
  return new GatehouseError('SERVER_BUSY', { message: 'Too many taps on this node', retryAfter: 10_000 });
}
