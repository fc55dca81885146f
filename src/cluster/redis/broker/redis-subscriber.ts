import type { Redis } from 'ioredis';
import { busy, type RedisLink } from '../connection/redis-link.js';
import { serverRunId } from '../connection/run-ids.js';
import { portionsOf } from './portions.js';

export interface SubscriberListener {
  message(channel: string, message: Buffer): void;
  /** The connection was lost, and all channels are subscribed again. Publications in between were missed. */
  restored(): void;
  /** Redis refused a command, or did not answer it. */
  refused(reason: string): void;
}

export interface SubscriberOptions {
  readonly link: RedisLink;
  /** `host:port` of a server of the cluster. Absent for a single Redis. */
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
const BATCH_SIZE = 500;

/**
 * A connection to one Redis server that receives the publications of its channels. It reconnects by itself. A ping
 * every second detects a silent connection, because a subscriber may rightly hear nothing for hours.
 */
export class RedisSubscriber {
  private readonly client: Redis;
  /** With sharded pub/sub, all channels of one command must be in one hash slot. */
  private readonly isSharded: boolean;
  /** The run_id of the server of this connection, if known. */
  private runId: string | undefined;
  private readonly wanted = new Set<string>();
  private wishes: Wish[] = [];
  private isReady = false;
  private wasReady = false;
  /** Resolves when the first attempt to connect has succeeded or failed. */
  private readonly opening: Promise<void>;
  private settle = (): void => {};
  private readonly pulse = setInterval(() => void this.feelPulse(), PULSE_MS).unref();

  constructor(private readonly options: SubscriberOptions) {
    this.client = options.link.connectBeside(options.server);
    this.isSharded = options.link.isCluster;
    // Failures show by `close`. Without a listener ioredis would write to the console.
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
    // A slot has moved to another server and took its channels along.
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
    // The next connection repairs what this one misses.
    this.leave(channel).catch(() => {});
  }

  /**
   * Commands may go to another server from now on. A connection that stays behind would not hear their publications.
   */
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
      // Subscribes of one event-loop turn go in one command.
      if (this.wishes.push({ channel, resolve, reject }) === 1) setImmediate(() => this.grant());
    });
  }

  private grant(): void {
    const { wishes } = this;
    this.wishes = [];
    // A channel that was left in the same turn is not subscribed.
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

  /** After every connect, all channels are subscribed again. */
  private async restore(): Promise<void> {
    try {
      // Before subscribing: afterwards Redis answers no such question on this connection.
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
    return portionsOf(items, channelOf, { bySlot: this.isSharded, size: BATCH_SIZE });
  }
}
