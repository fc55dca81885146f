import { Injectable } from '@nestjs/common';
import { StateStore } from '../../cluster/ports/state-store.js';
import { ChannelHub } from '../channel-hub.js';
import type { LocalChannel } from '../local-channel.js';
import { SlowReaders } from './slow-readers.js';
import { StateChannel } from './state-channel.js';
import { StateWriter } from './state-writer.js';

/** Keys that are removed at one time. */
const MAX_AT_ONCE = 1_000;
/** Keys go at most this long after their time, or after a tenth of it if that is less. */
const MAX_DELAY_MS = 60_000;
/** When a channel is looked at for the first time, and again after a failure. */
const SOON_MS = 1_000;

/** Channels, each with the time when it is looked at next, on the performance.now() clock: the soonest first. */
type Queue = Map<LocalChannel, number>;

/** Removes keys whose time is over from channels with subscribers on this node, and brings slow readers up to date. */
@Injectable()
export class StateSweeper {
  /** By how long a channel waits in it, so that a sweep sees only those that are due. */
  private readonly queues = new Map<number, Queue>();

  constructor(
    private readonly hub: ChannelHub,
    private readonly store: StateStore,
    private readonly writer: StateWriter,
    private readonly slow: SlowReaders,
  ) {
    hub.onCreated((local, now) => this.watch(local, now));
    hub.onForgotten((local) => this.unwatch(local));
    hub.onTick((now) => void this.sweep(now));
  }

  /** @param now on the performance.now() clock */
  async sweep(now: number): Promise<void> {
    this.slow.settle();
    for (const queue of this.queues.values()) await this.sweepQueue(queue, now);
  }

  private watch(local: LocalChannel, now: number): void {
    // The keys of a cell belong to its channel.
    if (lifeOf(local) > 0 && !local.isCompanion) this.lookLater(local, now, SOON_MS);
  }

  private unwatch(local: LocalChannel): void {
    for (const queue of this.queues.values()) queue.delete(local);
  }

  private lookLater(local: LocalChannel, now: number, delayMs: number): void {
    const queue = this.queues.get(delayMs) ?? new Map<LocalChannel, number>();
    this.queues.set(delayMs, queue);
    queue.set(local, now + delayMs);
  }

  private async sweepQueue(queue: Queue, now: number): Promise<void> {
    for (const [local, at] of queue) {
      if (at > now) return;
      queue.delete(local);
      const isDone = await this.expire(local);
      if (this.hub.get(local.name) !== local) continue;
      this.lookLater(local, now, isDone ? Math.min(lifeOf(local) / 10, MAX_DELAY_MS) : SOON_MS);
    }
  }

  /** Returns false if it is to be tried again: the channel is not open yet, or the store cannot be reached. */
  private async expire(local: LocalChannel): Promise<boolean> {
    const { name, channel } = local;
    if (local.opening !== undefined) return false;
    if (local instanceof StateChannel && local.keys === 0) return true;
    try {
      const keys = await this.store.expired(name, MAX_AT_ONCE);
      await Promise.all(keys.map((key) => this.writer.carryOut(channel, { key, what: 'expire' })));
      return true;
    } catch {
      return false;
    }
  }
}

/** How long keys live, in milliseconds. 0: for ever. */
function lifeOf({ channel }: LocalChannel): number {
  return channel.namespace.state?.ttlMs ?? 0;
}
