import type {
  Broker,
  BrokerListener,
  ChannelName,
  Draft,
  History,
  HistoryQuery,
  PositionChecks,
  Publication,
  Published,
  PublishOptions,
} from '../../ports/broker.js';
import { decodePubsubMessage } from './pubsub-message.js';
import { encodeDraft } from '../../ports/draft-codec.js';
import { newEpoch } from '../../ports/epoch.js';
import { RedisScript } from '../connection/redis-script.js';
import { RedisClusterSubscriber } from './redis-cluster-subscriber.js';
import { keysOf, MEMORY_MS, positionsIn, publicationIn, type Entry } from './redis-entries.js';
import { busy, type RedisLink } from '../connection/redis-link.js';
import { Acknowledgements } from './acknowledgements.js';
import { PositionReads } from './position-reads.js';
import { RedisPublisher } from './redis-publisher.js';
import { RedisSubscriber, type SubscriberListener } from './redis-subscriber.js';

const READ_HISTORY = RedisScript.load('read-history');

/** How often subscribed channels are checked: often enough that their positions never expire. */
const CHECK_MS = 120_000;

/** The broker of several nodes: history in streams, publications by pub/sub, sharded in a Redis Cluster. */
export class RedisBroker implements Broker {
  private readonly listeners: BrokerListener[] = [];
  private readonly subscribed = new Set<ChannelName>();
  private readonly subscriber: RedisSubscriber | RedisClusterSubscriber;
  readonly publisher: RedisPublisher;
  readonly acknowledgements = new Acknowledgements((channel, reached) => this.history(channel, { limit: 0, reached }));
  readonly checks: PositionChecks;
  private readonly positions: PositionReads;
  /** From the name of the pub/sub channel to the channel. */
  private readonly nameAt: number;
  private isClosed = false;

  constructor(private readonly link: RedisLink) {
    const listener: SubscriberListener = {
      message: (name, message) => this.arrived(name, message),
      restored: () => this.interrupted(),
      refused: (reason) => void link.refused(reason),
    };
    this.publisher = new RedisPublisher(link, this.acknowledgements);
    this.positions = new PositionReads(link);
    this.checks = { everyMs: CHECK_MS, moved: (positions) => this.positions.moved(positions) };
    this.nameAt = link.key('').length - 1;
    this.subscriber = link.isCluster
      ? new RedisClusterSubscriber(link, listener)
      : new RedisSubscriber({ link, listener });
    link.on('replaced', () => this.replaced());
    link.on('up', () => this.resumed());
  }

  /** Publications that Redis has not confirmed yet. */
  get backlog(): RedisPublisher['backlog'] {
    return this.publisher.backlog;
  }

  listen(listener: BrokerListener): void {
    this.listeners.push(listener);
  }

  async publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published> {
    const body = encodeDraft(draft);
    if (this.isClosed) throw busy();
    if (!this.link.isUp) return this.publishAlone(channel, draft, options);
    return this.publisher.publish(channel, { body, options });
  }

  async subscribe(channel: ChannelName): Promise<void> {
    if (this.isClosed) throw busy();
    // Before the reply of Redis: a publication may follow directly behind it.
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
    const { afterSeq = 0, limit = -1, beforeSeq = 0, maxBytes = -1, reverse = false, reached = [] } = query;
    if (this.isClosed) throw busy();
    const isSubscribed = this.subscribed.has(channel);
    if (isSubscribed && limit === 0 && reached.length === 0) return this.positions.positionOf(channel);
    const reply = (await this.link.run(READ_HISTORY, keysOf(this.link, channel), [
      newEpoch(),
      isSubscribed ? MEMORY_MS : 0,
      afterSeq,
      limit,
      reverse ? 1 : 0,
      maxBytes,
      reached.map(({ epoch, seq }) => `${epoch} ${seq}`).join(' '),
      this.link.publishCommand,
      this.link.key(channel),
      beforeSeq,
    ])) as [Buffer, number, Buffer, Entry[]];
    const [epoch, seq, formers, entries] = reply;
    const publications = entries.flatMap((entry) => this.read(() => [publicationIn(entry)]) ?? []);
    return { top: { epoch: epoch.toString(), seq }, publications, continues: positionsIn(formers.toString()) };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.subscribed.clear();
    this.subscriber.close();
    this.publisher.close();
    this.acknowledgements.close();
  }

  /** Without Redis and without history nothing can be lost, and the subscribers on this node still get it. */
  private publishAlone(channel: ChannelName, draft: Draft, options: PublishOptions): Published {
    const { history, idempotencyKey, mark, isForAllNodes = false } = options;
    if (history !== undefined || idempotencyKey !== undefined || mark !== undefined || isForAllNodes) throw busy();
    if (this.subscribed.has(channel)) this.announce(channel, { ...draft, ts: Date.now(), seq: 0, bytes: 0 }, '');
    return { position: undefined, isRepeat: false };
  }

  private arrived(name: string, message: Buffer): void {
    const channel = name.slice(this.nameAt, -1) as ChannelName;
    // Unsubscribed a moment ago.
    if (!this.subscribed.has(channel)) return;
    const carried = this.read(() => decodePubsubMessage(message));
    // A message of another program or release may replace one of ours: the history tells.
    if (carried === undefined) return this.interrupted(channel);
    const [first] = carried.publications;
    if (first) this.link.emit('arrived', Date.now() - first.ts);
    // Publications were lost: the history says which.
    if (first === undefined) return this.interrupted(channel);
    for (const publication of carried.publications) this.announce(channel, publication, carried.epoch);
  }

  /** Returns undefined if the message cannot be read. It is counted, and the receiver notices the missing seq. */
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

  private replaced(): void {
    this.subscriber.checkServer();
    this.publisher.checkServers();
    this.acknowledgements.stateAll();
  }

  private resumed(): void {
    this.replaced();
    this.interrupted();
  }

  /** Emitted when the broker can be asked. If Redis cannot be reached now, it is emitted on its return. */
  private interrupted(channel?: ChannelName): void {
    if (this.isClosed || !this.link.isUp) return;
    for (const listener of this.listeners) listener.interrupted(channel);
  }
}
