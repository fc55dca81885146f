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
} from '../ports/broker.js';
import { decodeDraft, encodeDraft } from '../ports/draft-codec.js';
import type { WirePublication } from './host-broker.js';
import type { WholeAnswer } from './open-calls.js';
import type { RemoteLink } from './remote-link.js';
import { busy } from './remote-messages.js';

/** Channels in one call, after the connection was lost. */
const AT_ONCE = 1_000;
/** Before what the primary refused is tried again. */
const AGAIN_MS = 100;

/** The broker of a worker: histories are in the primary. */
export class RemoteBroker implements Broker {
  /** The connection loses nothing unnoticed: if it breaks, everything is checked. */
  readonly checks = undefined;
  private readonly listeners: BrokerListener[] = [];
  private readonly subscribed = new Set<ChannelName>();
  private isClosed = false;

  constructor(private readonly link: RemoteLink) {
    link.onEvent('published', (channel: ChannelName, epoch: string, publication: WirePublication) =>
      this.arrived(channel, epoch, publication),
    );
    link.on('up', () => void this.resume());
  }

  listen(listener: BrokerListener): void {
    this.listeners.push(listener);
  }

  async publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published> {
    if (this.isClosed) throw busy();
    if (!this.link.isUp) return this.publishAlone(channel, draft, options);
    const { history, idempotencyKey, mark } = options;
    const limits = history && [history.size, history.ageMs];
    const reply = await this.link.call('publish', channel, encodeDraft(draft), limits, idempotencyKey, mark);
    const [epoch, seq, isRepeat] = reply as [epoch: string | undefined, seq: number, isRepeat: boolean];
    return { position: epoch === undefined ? undefined : { epoch, seq }, isRepeat };
  }

  async subscribe(channel: ChannelName): Promise<void> {
    if (this.isClosed) throw busy();
    // Before the reply: a publication may follow directly behind it.
    this.subscribed.add(channel);
    try {
      await this.link.call('subscribe', [channel]);
    } catch (error) {
      this.subscribed.delete(channel);
      throw error;
    }
  }

  unsubscribe(channel: ChannelName): void {
    if (this.subscribed.delete(channel)) this.link.tell('unsubscribe', channel);
  }

  /** What was reached says nothing: the primary loses a position only with its epoch. */
  async history(channel: ChannelName, query: HistoryQuery): Promise<History> {
    if (this.isClosed) throw busy();
    const { items, rest } = (await this.link.call('history', channel, query)) as WholeAnswer;
    const [epoch, seq] = rest as [epoch: string, seq: number];
    return { top: { epoch, seq }, publications: (items as WirePublication[]).map(publicationOf) };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.subscribed.clear();
  }

  /** Without the primary and without history nothing can be lost, and the subscribers on this node still get it. */
  private publishAlone(channel: ChannelName, draft: Draft, options: PublishOptions): Published {
    const { history, idempotencyKey, mark, isForAllNodes = false } = options;
    if (history !== undefined || idempotencyKey !== undefined || mark !== undefined || isForAllNodes) throw busy();
    if (this.subscribed.has(channel)) this.announce(channel, { ...draft, ts: Date.now(), seq: 0, bytes: 0 }, '');
    return { position: undefined, isRepeat: false };
  }

  private arrived(channel: ChannelName, epoch: string | undefined, publication: WirePublication): void {
    // Unsubscribed a moment ago.
    if (!this.subscribed.has(channel)) return;
    this.link.emit('arrived', Date.now() - publication[1]);
    this.announce(channel, publicationOf(publication), epoch ?? '');
  }

  private announce(channel: ChannelName, publication: Publication, epoch: string): void {
    for (const listener of this.listeners) listener.published(channel, publication, epoch);
  }

  /** The primary answers, for the first time or again. It knows nothing of the earlier connection. */
  private async resume(): Promise<void> {
    const channels = [...this.subscribed];
    try {
      for (let start = 0; start < channels.length; start += AT_ONCE) {
        const batch = channels.slice(start, start + AT_ONCE).filter((channel) => this.subscribed.has(channel));
        // Calls are carried out in order: a channel that is left meanwhile is left after this.
        await this.link.call('subscribe', batch);
      }
    } catch {
      // If the connection broke again, its return starts this again. Otherwise the primary has too much to do.
      if (this.link.isUp && !this.isClosed) setTimeout(() => void this.resume(), AGAIN_MS).unref();
      return;
    }
    if (this.isClosed) return;
    for (const listener of this.listeners) listener.interrupted();
  }
}

function publicationOf([seq, ts, bytes, draft, after]: WirePublication): Publication {
  const publication = { ...decodeDraft(draft), ts, seq, bytes };
  return after === undefined ? publication : { ...publication, after };
}
