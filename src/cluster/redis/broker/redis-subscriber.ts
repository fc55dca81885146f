import calculateSlot from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import { busy, type RedisLink } from '../connection/redis-link.js';
import { serverRunId } from '../connection/run-ids.js';

export interface SubscriberListener {
  message(channel: string, message: Buffer): void;
  /** The connection was away, and all channels are subscribed again: what was published meanwhile was missed. */
  restored(): void;
  /** Redis has refused a command, or has not answered it. */
  refused(reason: string): void;
}

export interface SubscriberOptions {
  readonly link: RedisLink;
  /** `host:port` of one of the servers of a cluster; absent where it is one Redis. */
  readonly server?: string;
  readonly listener: SubscriberListener;
}

interface Wish {
  readonly channel: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const PULSE_MS = 1_000;
/** Channels in one command, so that none keeps Redis busy for long. */
const PORTION = 500;

/**
 * A connection to one Redis server that hears what is published in the channels it has subscribed to. One that breaks comes
 * back; one that has gone silent is noticed by a ping every second, for a subscriber may hear nothing for hours by right.
 */
export class RedisSubscriber {
  private readonly client: Redis;
  /** With sharded pub/sub all channels of one command must be of one hash slot. */
  private readonly isSharded: boolean;
  /** Of the server that this connection leads to, where it says. */
  private runId: string | undefined;
  private readonly wanted = new Set<string>();
  private wishes: Wish[] = [];
  private isReady = false;
  private wasReady = false;
  /** Resolves once the first attempt to connect has succeeded, or failed. */
  private readonly opening: Promise<void>;
  private settle = (): void => {};
  private readonly pulse = setInterval(() => void this.feelPulse(), PULSE_MS).unref();

  constructor(private readonly options: SubscriberOptions) {
    this.client = options.link.connectBeside(options.server);
    this.isSharded = options.link.isCluster;
    // What goes wrong shows by `close`; without a listener ioredis would write to the console.
    this.client.on('error', () => {});
    this.client.on('close', () => (this.isReady = false));
    this.client.on('ready', () => void this.restore());
    this.opening = new Promise((resolve) => {
      this.settle = resolve;
      this.client.once('close', resolve);
    });
    this.client.on(this.isSharded ? 'smessageBuffer' : 'messageBuffer', (channel: Buffer, message: Buffer) => {
      options.listener.message(channel.toString(), message);
    });
    // A slot has moved to another server, which took its channels from here.
    this.client.on('sunsubscribe', (channel: string) => this.wanted.has(channel) && this.client.disconnect(true));
    void this.client.connect().catch(() => {});
  }

  get size(): number {
    return this.wanted.size;
  }

  /** @throws GatehouseError SERVER_BUSY */
  async subscribe(channel: string): Promise<void> {
    const isNew = !this.wanted.has(channel);
    this.wanted.add(channel);
    if (!this.wasReady) await this.opening;
    try {
      await this.wish(channel);
    } catch {
      if (isNew) this.wanted.delete(channel);
      throw busy();
    }
  }

  unsubscribe(channel: string): void {
    if (!this.wanted.delete(channel) || !this.isReady) return;
    // What it does not hear of, the next connection makes good.
    this.leave(channel).catch(() => {});
  }

  /** Commands may go to another server now. A connection that has stayed behind would hear nothing of what they publish. */
  checkServer(): void {
    if (this.isReady && !this.options.link.leadsTo(this.runId)) this.client.disconnect(true);
  }

  close(): void {
    clearInterval(this.pulse);
    this.isReady = false;
    this.client.removeAllListeners();
    this.client.on('error', () => {});
    this.client.disconnect();
    this.wanted.clear();
  }

  private wish(channel: string): Promise<void> {
    if (!this.isReady) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      // Those of one turn go in one command.
      if (this.wishes.push({ channel, resolve, reject }) === 1) setImmediate(() => this.grant());
    });
  }

  private grant(): void {
    const { wishes } = this;
    this.wishes = [];
    // Whoever has left in the turn in which it came is not subscribed after all.
    const granted = wishes.filter(({ channel, resolve }) => this.wanted.has(channel) || resolve());
    for (const portion of this.portionsOf(granted, ({ channel }) => channel)) void this.grantSome(portion);
  }

  private async grantSome(wishes: readonly Wish[]): Promise<void> {
    try {
      await this.enter(wishes.map(({ channel }) => channel));
      for (const { resolve } of wishes) resolve();
    } catch (error) {
      this.options.listener.refused((error as Error).message);
      for (const { reject } of wishes) reject(error as Error);
    }
  }

  /** After every connect: what was wanted before is subscribed again. */
  private async restore(): Promise<void> {
    try {
      // Before it subscribes: after that, Redis answers no such question on this connection.
      this.runId = await serverRunId(this.client);
      const portions = this.portionsOf([...this.wanted], (channel) => channel);
      await Promise.all(portions.map((portion) => this.enter(portion)));
    } catch (error) {
      this.options.listener.refused((error as Error).message);
      this.client.disconnect(true);
      return;
    }
    this.isReady = true;
    if (this.wasReady) this.options.listener.restored();
    this.wasReady = true;
    this.settle();
    await this.options.link.follow(this.runId);
  }

  private async feelPulse(): Promise<void> {
    if (!this.isReady) return;
    try {
      await this.client.ping();
    } catch {
      if (this.isReady) this.client.disconnect(true);
    }
  }

  private enter(channels: readonly string[]): Promise<unknown> {
    return this.isSharded ? this.client.ssubscribe(...channels) : this.client.subscribe(...channels);
  }

  private leave(channel: string): Promise<unknown> {
    return this.isSharded ? this.client.sunsubscribe(channel) : this.client.unsubscribe(channel);
  }

  private portionsOf<T>(items: readonly T[], channelOf: (item: T) => string): T[][] {
    if (this.isSharded) {
      const bySlot = new Map<number, T[]>();
      for (const item of items) {
        const slot = calculateSlot(channelOf(item));
        const present = bySlot.get(slot);
        if (present) present.push(item);
        else bySlot.set(slot, [item]);
      }
      return [...bySlot.values()];
    }
    const count = Math.ceil(items.length / PORTION);
    return Array.from({ length: count }, (_, index) => items.slice(index * PORTION, (index + 1) * PORTION));
  }
}
