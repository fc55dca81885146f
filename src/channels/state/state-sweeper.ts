import { Injectable } from '@nestjs/common';
import { StateStore } from '../../cluster/ports/state-store.js';
import { ChannelHub } from '../channel-hub.js';
import type { LocalChannel } from '../local-channel.js';
import { StateChannel } from './state-channel.js';
import { StateWriter } from './state-writer.js';

/** Keys that are removed at one time. */
const MAX_AT_ONCE = 1_000;
/** Keys go at most this long after their time, or after a tenth of it if that is less. */
const MAX_DELAY_MS = 60_000;

/** Removes keys whose time is over from channels with subscribers on this node, and brings slow readers up to date. */
@Injectable()
export class StateSweeper {
  private readonly checkedAt = new WeakMap<LocalChannel, number>();

  constructor(
    private readonly hub: ChannelHub,
    private readonly store: StateStore,
    private readonly writer: StateWriter,
  ) {
    hub.onTick((now) => void this.sweep(now));
  }

  /** @param now on the performance.now() clock */
  async sweep(now: number): Promise<void> {
    for (const local of this.hub) {
      if (local instanceof StateChannel) local.settle();
      if (this.isDue(local, now)) await this.expire(local).catch(() => this.checkedAt.delete(local));
    }
  }

  private isDue(local: LocalChannel, now: number): boolean {
    const ttlMs = local.channel.namespace.state?.ttlMs ?? 0;
    // The keys of a cell belong to its channel.
    if (ttlMs === 0 || local.isCompanion) return false;
    if (local instanceof StateChannel && local.keys === 0) return false;
    const checkedAt = this.checkedAt.get(local);
    if (checkedAt !== undefined && now - checkedAt < Math.min(ttlMs / 10, MAX_DELAY_MS)) return false;
    this.checkedAt.set(local, now);
    return true;
  }

  /** @throws GatehouseError SERVER_BUSY if the store cannot be reached; it is tried again */
  private async expire({ name, channel }: LocalChannel): Promise<void> {
    const keys = await this.store.expired(name, MAX_AT_ONCE);
    await Promise.all(keys.map((key) => this.writer.carryOut(channel, { key, what: 'expire' })));
  }
}
