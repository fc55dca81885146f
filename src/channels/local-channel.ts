import type { Broker, ChannelName, History, Position, Publication } from '../cluster/ports/broker.js';
import { isContinuedBy, isSamePosition } from '../cluster/ports/continuity.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Session } from '../sessions/session.js';
import type { Channel } from './channel.js';
import type { Ledger } from './ledger/ledger.js';
import { LedgeredSubscribers } from './ledger/ledgered-subscribers.js';
import type { HistoryReader } from './recovery/history-reader.js';
import { SeenPositions } from './recovery/seen-positions.js';
import { RecoveryReads } from './recovery/recovery-reads.js';
import { Subscribers, type SubscribersOptions } from './subscribers.js';
import type { Subscription } from './subscription.js';

export interface LocalChannelOptions extends SubscribersOptions {
  readonly broker: Broker;
  readonly histories: HistoryReader;
  /** Of its namespace; undefined where it keeps none. */
  readonly ledger: Ledger | undefined;
  /** Told when publications may be missing. Nothing is delivered until `repair` has succeeded. */
  readonly onDoubt: (channel: LocalChannel) => void;
}

interface Arrival {
  readonly publication: Publication;
  readonly epoch: string;
}

/**
 * What becomes of the publications that arrive. `following`: each follows the one before and is delivered. `doubtful`: some
 * are missing; what arrives is let go, for the history that will be read has it. `reading`: the history is being read; what
 * arrives now may be newer, and waits.
 */
type Intake = 'following' | 'doubtful' | 'reading';

/** Publications that may wait while the history is read; beyond it, it is read again. */
export const MAX_ARRIVALS = 1_000;
/** How often a subscriber's recovery is tried where the channel goes from epoch to epoch meanwhile. */
const MAX_ATTEMPTS = 3;

/** The subscribers that one node has in one channel, and how far they have been served. A loss is repaired or announced. */
export class LocalChannel {
  /** Resolves once publications arrive and the position is known. */
  readonly ready: Promise<void>;
  private readonly subscribers: Subscribers;
  /** Up to where subscribers have been served; undefined until it is known, and in a channel without history. */
  private position: Position | undefined;
  private readonly past = new SeenPositions();
  private intake: Intake = 'reading';
  private arrivals: Arrival[] = [];
  private repairing: Promise<void> | undefined;
  /** Made when it is first needed: most channels never do. */
  private recoveries: RecoveryReads | undefined;

  constructor(private readonly options: LocalChannelOptions) {
    const { ledger } = options;
    this.subscribers = ledger === undefined ? new Subscribers(options) : new LedgeredSubscribers(options, ledger);
    this.ready = this.open();
  }

  get name(): ChannelName {
    return this.options.name;
  }

  get channel(): Channel {
    return this.options.channel;
  }

  /** Whether clients know it by its own name. */
  get isCompanion(): boolean {
    return this.name !== this.channel.name;
  }

  get subscriptions(): ReadonlyMap<Session, Subscription> {
    return this.subscribers.subscriptions;
  }

  get isWanted(): boolean {
    return this.subscriptions.size > 0;
  }

  /** Takes a session in, or again; it is held back until `goLive`. */
  add(session: Session, formerSession?: string): Subscription {
    return this.subscribers.add(session, formerSession);
  }

  /** False where the session was not there. */
  remove(session: Session): boolean {
    return this.subscribers.remove(session);
  }

  /** A publication arrives from the broker. */
  receive(publication: Publication, epoch: string): void {
    if (publication.seq === 0) return this.subscribers.deliver(publication, epoch);
    if (this.intake === 'doubtful') return;
    if (this.intake === 'reading') return this.postpone({ publication, epoch });
    const isSameEpoch = epoch === this.position?.epoch;
    const expected = (this.position?.seq ?? 0) + 1;
    if (isSameEpoch && publication.seq < expected) return;
    if (!isSameEpoch || publication.seq > expected) return this.doubt();
    this.position = { epoch, seq: publication.seq };
    this.subscribers.deliver(publication, epoch);
  }

  /**
   * What a subscriber missed since a position, and where that brings it. Without one, only where the channel stands.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached
   */
  async recover(subscription: Subscription, since: Position | undefined): Promise<History> {
    const { histories, name } = this.options;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const before = this.position;
      const history =
        this.standing(since) ?? (await (this.recoveries ??= new RecoveryReads(histories, name)).since(since));
      const { top } = history;
      const isBehind = top.epoch === before?.epoch && top.seq < before.seq;
      if (top.epoch === this.position?.epoch && !isBehind) {
        subscription.recoveredTo(top);
        return history;
      }
      // What was read is of another epoch, or older than what was there: which is the channel's present state only the broker knows.
      this.doubt();
      await this.repair();
    }
    throw new GatehouseError('SERVER_BUSY');
  }

  /** The client has been told what it missed: what came meanwhile follows, then it is live. */
  goLive(subscription: Subscription): void {
    this.subscribers.goLive(subscription);
  }

  /** Asks where the channel stands: what was lost on the way unnoticed shows by that. */
  async check(): Promise<void> {
    if (!this.options.hasHistory || this.intake !== 'following') return;
    const { broker, name } = this.options;
    const { top } = await broker.history(name, { limit: 0 });
    // What is on its way at this moment makes it doubt for nothing, which costs one more question.
    if (!isSamePosition(top, this.position)) this.doubt();
  }

  /** Publications may have been missed. */
  doubt(): void {
    if (!this.options.hasHistory || this.intake === 'doubtful') return;
    this.intake = 'doubtful';
    this.options.onDoubt(this);
  }

  /**
   * Reads what is missing between the position and the top of the history, and brings or announces it.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached; the channel stays doubtful then
   */
  repair(): Promise<void> {
    this.repairing ??= this.readMissing();
    return this.repairing;
  }

  private async open(): Promise<void> {
    const { broker, name, hasHistory } = this.options;
    await broker.subscribe(name);
    if (hasHistory) this.stand(await broker.history(name, { limit: 0 }));
    this.follow();
  }

  private async readMissing(): Promise<void> {
    try {
      await this.ready;
      // Once more where there was reason to doubt, while it was read, that what was read is all.
      while (this.intake === 'doubtful') await this.readOnce();
    } finally {
      this.repairing = undefined;
    }
  }

  private async readOnce(): Promise<void> {
    this.intake = 'reading';
    try {
      this.bring(await this.historySince(this.position));
      this.follow();
    } catch (error) {
      this.arrivals = [];
      this.intake = 'doubtful';
      throw error;
    }
  }

  /** Where nobody needs to be asked: what follows the position comes to the subscribers by itself, or is announced as lost. */
  private standing(since: Position | undefined): History | undefined {
    const { position } = this;
    const misses = since !== undefined && !isSamePosition(since, position);
    return position === undefined || misses ? undefined : { top: position, publications: [] };
  }

  /** Everything that is new to somebody at a position: what comes behind it, or behind what is still known of it. */
  private async historySince(since: Position | undefined): Promise<History> {
    const { histories, name } = this.options;
    const reached = this.past.reached(since);
    const history = await histories.history(name, { afterSeq: since?.seq, reached });
    if (isContinuedBy(since, history)) return history;
    return histories.history(name, { afterSeq: this.past.knownIn(history, since) });
  }

  private bring(history: History): void {
    const { top, publications } = history;
    const isContinued = isContinuedBy(this.position, history);
    const known = (isContinued ? this.position?.seq : this.past.knownIn(history, this.position)) ?? 0;
    let expected = isContinued ? known + 1 : null;
    for (const publication of publications) {
      const { seq } = publication;
      if (seq <= known) continue;
      if (seq !== expected) this.subscribers.announce({ from: expected, to: seq - 1 }, history);
      this.subscribers.deliver(publication, top.epoch, history.continues);
      expected = seq + 1;
    }
    if (expected === null || expected <= top.seq) this.subscribers.announce({ from: expected, to: top.seq }, history);
    this.stand(history);
  }

  private stand(history: History): void {
    this.past.moved(this.position, history);
    this.position = history.top;
  }

  /** What arrived while the history was read follows it. */
  private follow(): void {
    const { arrivals } = this;
    this.arrivals = [];
    if (this.intake !== 'reading') return;
    this.intake = 'following';
    for (const { publication, epoch } of arrivals) this.receive(publication, epoch);
  }

  private postpone(arrival: Arrival): void {
    if (this.arrivals.push(arrival) > MAX_ARRIVALS) this.doubt();
  }
}
