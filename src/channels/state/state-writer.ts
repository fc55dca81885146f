import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { AreaOptions } from '../../../config/area-options.js';
import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { Draft, Position } from '../../cluster/ports/broker.js';
import { StateStore, type StateEntry, type StateOutcome } from '../../cluster/ports/state-store.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Channel } from '../channel.js';
import { NamespaceCounts } from '../namespace-counts.js';
import { gridOf } from './area-grid.js';
import { demandState } from './demand-state.js';
import { StateCounts, type StateResult } from './state-counts.js';
import type { StateAnswer, StateOrder } from './state-order.js';
import { StatePlan, type StateRefusal } from './state-plan.js';
import { bytesOf, StateTick, type KnownBytes, type WaitingOrder } from './state-tick.js';

/** Orders, and bytes of them, that may wait on a node. From then on, more are refused. */
const MAX_WAITING = 20_000;
const MAX_WAITING_BYTES = 67_108_864;
/** How often a tick is tried again because other nodes changed the same keys. */
const MAX_ATTEMPTS = 16;
const RETRY_AFTER_MS = 1_000;

const RESULT_OF: Readonly<Record<StateRefusal, StateResult>> = {
  CONFLICT: 'conflict',
  FORBIDDEN: 'forbidden',
  MESSAGE_TOO_LARGE: 'too_large',
  STATE_LIMIT_REACHED: 'full',
  VALIDATION_FAILED: 'unplaced',
};

/**
 * Changes the state of channels: what is ordered within one tick becomes one publication. The values are merged here
 * and stored if nobody else has changed them meanwhile; otherwise they are merged again.
 */
@Injectable()
export class StateWriter implements OnApplicationShutdown {
  private readonly ticks = new Map<string, StateTick>();
  private waiting = 0;
  private waitingBytes = 0;
  private isClosed = false;
  private readonly known: KnownBytes = { total: 0 };

  constructor(
    private readonly store: StateStore,
    private readonly counts: StateCounts,
    private readonly namespaces: NamespaceCounts,
  ) {}

  onApplicationShutdown(): void {
    this.isClosed = true;
    for (const tick of this.ticks.values()) {
      while (!tick.isEmpty) for (const { reject } of tick.take()) reject(busy());
    }
  }

  /**
   * @throws GatehouseError CONFLICT, FORBIDDEN, MESSAGE_TOO_LARGE, STATE_LIMIT_REACHED, NOT_REPLICATED, or SERVER_BUSY
   *   if the store cannot be reached or too much waits for it
   */
  carryOut(channel: Channel, order: StateOrder): Promise<StateAnswer> {
    return new Promise((resolve, reject) => {
      // Whatever the size of this one: a small change must not overtake a large one that was refused before it.
      if (this.isClosed || this.waiting >= MAX_WAITING || this.waitingBytes >= MAX_WAITING_BYTES) throw busy();
      const bytes = bytesOf(order);
      this.waiting += 1;
      this.waitingBytes += bytes;
      this.tickOf(channel).add({ order, bytes, resolve, reject });
    });
  }

  private tickOf(channel: Channel): StateTick {
    const present = this.ticks.get(channel.name);
    if (present) return present;
    const tick = new StateTick(channel, this.known);
    this.ticks.set(channel.name, tick);
    // Orders of this turn go together.
    setImmediate(() => void this.run(tick));
    return tick;
  }

  /** One publication a tick, until a tick has passed without an order. */
  private async run(tick: StateTick): Promise<void> {
    const { channel } = tick;
    while (!tick.isEmpty) {
      const rest = pause(demandState(channel).tickMs);
      while (!tick.isEmpty) {
        await this.commitOrReject(tick, tick.take());
        tick.tidy();
      }
      await rest;
    }
    tick.forget();
    this.ticks.delete(channel.name);
  }

  private async commitOrReject(tick: StateTick, orders: readonly WaitingOrder[]): Promise<void> {
    try {
      await this.commit(tick, orders);
    } catch (error) {
      // It is unknown what was stored.
      tick.forget();
      this.counts.results.failed += orders.length;
      for (const { reject } of orders) reject(error);
    } finally {
      this.waiting -= orders.length;
      for (const { bytes } of orders) this.waitingBytes -= bytes;
    }
  }

  private async commit(tick: StateTick, orders: readonly WaitingOrder[]): Promise<void> {
    const { channel } = tick;
    const { valueBytes, maxKeys, ttlMs, area } = demandState(channel);
    const { history, replicas } = channel.namespace;
    if (history === undefined) throw busy();
    const refused = new Set<string>();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const plan = new StatePlan(
        orders.map(({ order }) => order),
        (key) => tick.entry(key),
        { valueBytes, refused, area },
      );
      const data = plan.publication;
      const draft = data && draftOf(data);
      const drafts = plan.cells.map((changes) => ({ cell: changes.cell, draft: draftOf(changes) }));
      const cells = area && { grid: gridOf(area), drafts };
      const fixed = { history, replicas, maxKeys, ttlMs, epoch: tick.epoch };
      const outcome = await this.store.commit(channel.name, { ...fixed, changes: plan.changes, draft, cells });
      if (outcome.is === 'done') return this.answer({ tick, plan, orders, position: outcome.position });
      if (outcome.is === 'full') refuse(plan, outcome, refused);
      else
        tick.learn(outcome.epoch, [
          ...outcome.absent.map((key) => ({ key, entry: undefined, bytes: key.length })),
          ...outcome.entries.map((entry) => ({ key: entry.key, entry, bytes: sizeOf(entry) })),
        ]);
    }
    throw busy();
  }

  private answer({ tick, plan, orders, position }: Done): void {
    const { epoch, seq } = position;
    tick.learn(
      epoch,
      plan.changes.map(({ key }) => ({
        key,
        entry: plan.after(key, seq),
        bytes: plan.bytesAfter(key) ?? tick.bytesOf(key),
      })),
    );
    if (plan.publication !== undefined) this.namespaces.of(tick.channel.namespace).publications += 1;
    orders.forEach(({ order: { key }, resolve, reject }, index) => {
      const refusal = plan.refusals[index];
      const entry = tick.entry(key);
      const result = plan.isChanged(key) ? 'changed' : 'unchanged';
      this.counts.results[refusal === undefined ? result : RESULT_OF[refusal]] += 1;
      if (refusal === undefined) resolve({ key, epoch, version: entry?.version ?? 0 });
      else reject(refusalOf(refusal, { key, epoch, entry, area: demandState(tick.channel).area }));
    });
  }
}

type Full = Extract<StateOutcome, { is: 'full' }>;

interface Done {
  readonly tick: StateTick;
  readonly plan: StatePlan;
  readonly orders: readonly WaitingOrder[];
  readonly position: Position;
}

/** Of the keys that would be added, those that fit may be. Values that may not grow are refused, and no others. */
function refuse({ additions, changes }: StatePlan, { room, grown }: Full, refused: Set<string>): void {
  const tooMany = [...additions.slice(room), ...grown];
  // A store that names none must not be asked for ever.
  const names = tooMany.length > 0 ? tooMany : changes.filter(({ what }) => what === 'set').map(({ key }) => key);
  for (const key of names) refused.add(key);
}

function sizeOf({ key, value }: StateEntry): number {
  return key.length + approximateBytes(value);
}

function refusalOf(code: StateRefusal, { key, epoch, entry, area }: Refused): GatehouseError {
  if (code === 'VALIDATION_FAILED') {
    const [first, second] = area?.fields ?? [];
    const reason = `patch must leave a place: finite numbers in ${first} and ${second}`;
    return new GatehouseError(code, { details: { patch: [reason] } });
  }
  if (code === 'MESSAGE_TOO_LARGE') return new GatehouseError(code, { message: 'The value would be too large' });
  if (code === 'FORBIDDEN') return new GatehouseError(code, { message: 'This key belongs to somebody else' });
  if (code !== 'CONFLICT') return new GatehouseError(code);
  return new GatehouseError(code, {
    data: entry === undefined ? { key, epoch, version: 0 } : { key, epoch, version: entry.version, value: entry.value },
  });
}

interface Refused {
  readonly key: string;
  readonly epoch: string;
  readonly entry: StatePlanEntry;
  readonly area: AreaOptions | undefined;
}

type StatePlanEntry = ReturnType<StatePlan['after']>;

function draftOf(data: unknown): Draft {
  return { data, from: undefined, excludeSession: undefined, expiresAt: undefined };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function busy(): GatehouseError {
  return new GatehouseError('SERVER_BUSY', { retryAfter: RETRY_AFTER_MS });
}
