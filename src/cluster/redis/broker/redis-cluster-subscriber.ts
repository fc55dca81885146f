import calculateSlot from 'cluster-key-slot';
import type { Cluster } from 'ioredis';
import { busy, type RedisLink } from '../connection/redis-link.js';
import { RedisSubscriber, type SubscriberListener } from './redis-subscriber.js';

const REFRESH_MS = 500;

/** The channels of one hash slot, and the server where they are subscribed. */
interface Slot {
  server: string;
  readonly channels: Set<string>;
}

/**
 * Receives sharded pub/sub in a Redis Cluster. Each server carries the channels of its own slots, so there is one
 * subscriber for every server that is needed, and channels follow their slot to another server.
 */
export class RedisClusterSubscriber {
  private readonly servers = new Map<string, RedisSubscriber>();
  private readonly slots = new Map<number, Slot>();
  private readonly refresher = setInterval(() => this.refresh(), REFRESH_MS).unref();

  constructor(
    private readonly link: RedisLink,
    private readonly listener: SubscriberListener,
  ) {}

  /** @throws GatehouseError SERVER_BUSY */
  async subscribe(channel: string): Promise<void> {
    const number = calculateSlot(channel);
    const server = this.masterOf(number);
    if (server === undefined) throw busy();
    const slot = this.slots.get(number) ?? { server, channels: new Set() };
    this.slots.set(number, slot);
    slot.channels.add(channel);
    try {
      await this.subscriberAt(slot.server).subscribe(channel);
    } catch (error) {
      this.unsubscribe(channel);
      throw error;
    }
  }

  unsubscribe(channel: string): void {
    const number = calculateSlot(channel);
    const slot = this.slots.get(number);
    if (!slot?.channels.delete(channel)) return;
    if (slot.channels.size === 0) this.slots.delete(number);
    this.servers.get(slot.server)?.unsubscribe(channel);
  }

  checkServer(): void {
    for (const subscriber of this.servers.values()) subscriber.checkServer();
  }

  close(): void {
    clearInterval(this.refresher);
    for (const subscriber of this.servers.values()) subscriber.close();
    this.servers.clear();
    this.slots.clear();
  }

  /** Follows slots that have moved, and leaves servers without slots. */
  private refresh(): void {
    for (const [number, slot] of this.slots) {
      const server = this.masterOf(number);
      if (server !== undefined && server !== slot.server) void this.move(slot, server);
    }
    for (const [server, subscriber] of this.servers) {
      if (subscriber.size > 0) continue;
      subscriber.close();
      this.servers.delete(server);
    }
  }

  private async move(slot: Slot, server: string): Promise<void> {
    const former = slot.server;
    slot.server = server;
    const channels = [...slot.channels];
    try {
      const subscriber = this.subscriberAt(server);
      await Promise.all(channels.map((channel) => subscriber.subscribe(channel)));
    } catch {
      // Tried again at the next refresh, unless the slot has moved on by then.
      if (slot.server === server) slot.server = former;
      return;
    }
    for (const channel of channels) this.servers.get(former)?.unsubscribe(channel);
    this.listener.restored();
  }

  private masterOf(slot: number): string | undefined {
    return (this.link.client as Cluster).slots[slot]?.[0];
  }

  private subscriberAt(server: string): RedisSubscriber {
    const present = this.servers.get(server);
    if (present) return present;
    const subscriber = new RedisSubscriber({ link: this.link, server, listener: this.listener });
    this.servers.set(server, subscriber);
    return subscriber;
  }
}
