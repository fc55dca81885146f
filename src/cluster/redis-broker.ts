import type {
  Broker,
  BrokerListener,
  ChannelName,
  Draft,
  History,
  HistoryQuery,
  Publication,
  Published,
  PublishOptions,
} from './broker.js';
import { decodeCarried, encodeCarried } from './carried.js';
import { encodeDraft } from './draft-codec.js';
import { newEpoch } from './epoch.js';
import { Outbox, type Outgoing } from './outbox.js';
import { positionsIn, publicationIn, type Entry } from './redis-entries.js';
import { PUBLISH_KEPT, PUBLISH_UNKEPT, READ_HISTORY } from './redis-broker-scripts.js';
import { RedisClusterSubscriber } from './redis-cluster-subscriber.js';
import { busy, type RedisArgument, type RedisLink } from './redis-link.js';
import { RedisSubscriber, type SubscriberListener } from './redis-subscriber.js';

/** How long an idempotency key is remembered, and at least how long the position of a channel that nobody uses is. */
const MEMORY_MS = 300_000;
/** How often subscribed channels are to be checked: often enough that their positions are never forgotten. */
const CHECK_MS = 120_000;
/** Publications, and their bytes, that may wait for Redis; beyond it more are refused. */
const MAX_WAITING = 20_000;
const MAX_WAITING_BYTES = 67_108_864;

type Limits = NonNullable<PublishOptions['history']>;

/** The broker of several nodes: history in streams, publications by pub/sub, sharded in a Redis Cluster. */
export class RedisBroker implements Broker {
  readonly checkEveryMs = CHECK_MS;
  private readonly listeners: BrokerListener[] = [];
  private readonly subscribed = new Set<ChannelName>();
  private readonly outboxes = new Map<ChannelName, Outbox>();
  private readonly due = new Set<ChannelName>();
  private readonly subscriber: RedisSubscriber | RedisClusterSubscriber;
  private readonly publishCommand: 'PUBLISH' | 'SPUBLISH';
  /** From the pub/sub channel's name to the channel's. */
  private readonly nameAt: number;
  private waiting = 0;
  private waitingBytes = 0;
  private isClosed = false;

  constructor(private readonly link: RedisLink) {
    const listener: SubscriberListener = {
      message: (name, message) => this.arrived(name, message),
      restored: () => this.interrupted(),
    };
    this.publishCommand = link.isCluster ? 'SPUBLISH' : 'PUBLISH';
    this.nameAt = link.key('').length - 1;
    this.subscriber = link.isCluster
      ? new RedisClusterSubscriber(link, listener)
      : new RedisSubscriber({ client: link.connectBeside(), isSharded: false, listener });
    link.on('up', () => this.interrupted());
  }

  listen(listener: BrokerListener): void {
    this.listeners.push(listener);
  }

  async publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published> {
    const body = encodeDraft(draft);
    if (this.isClosed) throw busy();
    if (!this.link.isUp) return this.publishAlone(channel, draft, options);
    if (this.waiting >= MAX_WAITING || this.waitingBytes + body.length > MAX_WAITING_BYTES) throw busy();
    this.waiting += 1;
    this.waitingBytes += body.length;
    try {
      return await new Promise<Published>((resolve, reject) => {
        this.outboxOf(channel).add({ body, draft, options, resolve, reject });
        this.schedule(channel);
      });
    } finally {
      this.waiting -= 1;
      this.waitingBytes -= body.length;
    }
  }

  async subscribe(channel: ChannelName): Promise<void> {
    if (this.isClosed) throw busy();
    // Before Redis has answered: a publication may stand right behind the answer.
    this.subscribed.add(channel);
    try {
      await this.subscriber.subscribe(this.link.key(channel));
    } catch (error) {
      this.subscribed.delete(channel);
      throw error;
    }
  }

  unsubscribe(channel: ChannelName): void {
    this.subscribed.delete(channel);
    if (!this.isClosed) this.subscriber.unsubscribe(this.link.key(channel));
  }

  async history(channel: ChannelName, query: HistoryQuery): Promise<History> {
    const { afterSeq = 0, limit = -1, maxBytes = -1, reverse = false } = query;
    if (this.isClosed) throw busy();
    const life = this.subscribed.has(channel) ? MEMORY_MS : 0;
    const reply = (await this.link.run(READ_HISTORY, this.keysOf(channel), [
      newEpoch(),
      life,
      afterSeq,
      limit,
      reverse ? 1 : 0,
      maxBytes,
    ])) as [Buffer, number, Buffer, Entry[]];
    const [epoch, seq, formers, entries] = reply;
    const publications = entries.flatMap((entry) => this.read(() => [publicationIn(entry)]) ?? []);
    return { top: { epoch: epoch.toString(), seq }, publications, continues: positionsIn(formers.toString()) };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.subscribed.clear();
    this.subscriber.close();
    for (const outbox of this.outboxes.values()) {
      while (!outbox.isEmpty) for (const { reject } of outbox.take()) reject(busy());
    }
  }

  /** Redis is gone: where nothing is kept nothing can be lost, and those on this node get it at least. */
  private publishAlone(channel: ChannelName, draft: Draft, options: PublishOptions): Published {
    const { history, idempotencyKey, isForAllNodes = false } = options;
    if (history !== undefined || idempotencyKey !== undefined || isForAllNodes) throw busy();
    if (this.subscribed.has(channel)) this.announce(channel, { ...draft, ts: Date.now(), seq: 0, bytes: 0 }, '');
    return { position: undefined, isRepeat: false };
  }

  private outboxOf(channel: ChannelName): Outbox {
    const outbox = this.outboxes.get(channel) ?? new Outbox();
    this.outboxes.set(channel, outbox);
    return outbox;
  }

  /** Those of one turn go in one command. */
  private schedule(channel: ChannelName): void {
    this.due.add(channel);
    if (this.due.size === 1) setImmediate(() => this.sendDue());
  }

  private sendDue(): void {
    const due = [...this.due];
    this.due.clear();
    for (const channel of due) void this.sendAll(channel);
  }

  private async sendAll(channel: ChannelName): Promise<void> {
    const outbox = this.outboxOf(channel);
    if (outbox.isUnderWay) return;
    outbox.isUnderWay = true;
    while (!outbox.isEmpty) await this.send(channel, outbox.take());
    this.outboxes.delete(channel);
  }

  private async send(channel: ChannelName, batch: readonly Outgoing[]): Promise<void> {
    try {
      const limits = batch.at(-1)?.options.history;
      const published = limits ? await this.sendKept(channel, batch, limits) : await this.sendUnkept(channel, batch);
      batch.forEach(({ resolve }, index) => resolve(published[index] as Published));
    } catch (error) {
      for (const { reject } of batch) reject(error as Error);
    }
  }

  private async sendKept(
    channel: ChannelName,
    batch: readonly Outgoing[],
    { size, ageMs }: Limits,
  ): Promise<readonly Published[]> {
    const { keys, items } = this.itemsOf(channel, batch, 2);
    const life = Math.max(ageMs, MEMORY_MS);
    const parameters = [
      newEpoch(),
      size,
      ageMs,
      life,
      MEMORY_MS,
      this.publishCommand,
      this.link.key(channel),
      ...items,
    ];
    const reply = await this.link.run(PUBLISH_KEPT, [...this.keysOf(channel), ...keys], parameters);
    const [epoch, ...results] = (reply as Buffer[]).map(String);
    return results.map((result) => {
      const [former, seq] = result.split(' ');
      const isRepeat = seq !== undefined;
      return { position: { epoch: (isRepeat ? former : epoch) ?? '', seq: Number(seq ?? result) }, isRepeat };
    });
  }

  private async sendUnkept(channel: ChannelName, batch: readonly Outgoing[]): Promise<readonly Published[]> {
    const name = this.link.key(channel);
    if (batch.every(({ options }) => options.idempotencyKey === undefined)) {
      const message = encodeCarried(
        Date.now(),
        batch.map(({ body }) => body),
      );
      const { client } = this.link;
      const isSharded = this.publishCommand === 'SPUBLISH';
      await this.link.attempt(() => (isSharded ? client.spublish(name, message) : client.publish(name, message)));
      return batch.map(() => ({ position: undefined, isRepeat: false }));
    }
    const { keys, items } = this.itemsOf(channel, batch, 0);
    const parameters = [Date.now(), MEMORY_MS, this.publishCommand, name, ...items];
    const results = (await this.link.run(PUBLISH_UNKEPT, keys, parameters)) as number[];
    return results.map((result) => ({ position: undefined, isRepeat: result === 0 }));
  }

  /** The keys of the idempotency keys, and body and key index of each. */
  private itemsOf(channel: ChannelName, batch: readonly Outgoing[], otherKeys: number) {
    const keys: string[] = [];
    const items: RedisArgument[] = [];
    for (const { body, options } of batch) {
      const { idempotencyKey } = options;
      if (idempotencyKey !== undefined) keys.push(this.link.key(channel, `once:${idempotencyKey}`));
      items.push(body, idempotencyKey === undefined ? 0 : otherKeys + keys.length);
    }
    return { keys, items };
  }

  private keysOf(channel: ChannelName): [string, string] {
    return [this.link.key(channel, 'meta'), this.link.key(channel, 'log')];
  }

  private arrived(name: string, message: Buffer): void {
    const channel = name.slice(this.nameAt, -1) as ChannelName;
    // Unsubscribed a moment ago.
    if (!this.subscribed.has(channel)) return;
    const carried = this.read(() => decodeCarried(message));
    // What another program, or another release, has put there may stand for one of ours: the history tells.
    if (carried === undefined) return this.interrupted(channel);
    for (const publication of carried.publications) this.announce(channel, publication, carried.epoch);
  }

  /** Undefined where it cannot be read; that is counted, and whoever holds it against its place finds it missing. */
  private read<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.link.emit('failed', `unreadable: ${(error as Error).message}`);
      return undefined;
    }
  }

  private announce(channel: ChannelName, publication: Publication, epoch: string): void {
    for (const listener of this.listeners) listener.published(channel, publication, epoch);
  }

  /** Told when it makes sense to ask: where Redis is still away, it will be told when it is back. */
  private interrupted(channel?: ChannelName): void {
    if (this.isClosed || !this.link.isUp) return;
    for (const listener of this.listeners) listener.interrupted(channel);
  }
}
