import type { ChannelName, History, Position, Publication } from '../cluster/ports/broker.js';
import { isContinuedBy, isSamePosition, seenBy } from '../cluster/ports/continuity.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Session } from '../sessions/session.js';
import type { Channel } from './channel.js';
import type { ChannelSurroundings, LocalChannelOptions, LocalChannelSetup } from './local-channel-setup.js';
import { subscribersWith } from './ledger/ledgered-subscribers.js';
import { SeenPositions } from './recovery/seen-positions.js';
import { RecoveryReads } from './recovery/recovery-reads.js';
import type { Subscribers } from './subscribers.js';
import type { SubscriptionMap } from './subscription-map.js';
import type { Subscription } from './subscription.js';

type Arrival = readonly [publication: Publication, epoch: string];

/**
 * What happens to publications that arrive. `following`: each follows the one before and is delivered. `doubtful`: some
 * are missing; arriving ones are dropped, because the history that will be read contains them. `reading`: the history
 * is being read; arriving ones may be newer, and wait.
 */
type Intake = 'following' | 'doubtful' | 'reading';

/** Publications that may wait while the history is read. Beyond it, the history is read again. */
export const MAX_ARRIVALS = 1_000;
/** How often the recovery of a subscriber is tried if the epoch changes meanwhile. */
const MAX_ATTEMPTS = 3;

/** The subscribers of one node in one channel, and their position. A loss is repaired or announced. */
export class LocalChannel {
  /** Resolves when publications arrive and the position is known. Undefined from then on. */
  opening: Promise<void> | undefined;
  /** The position up to which subscribers have been served. Undefined until it is known, and without a history. */
  protected position: Position | undefined;
  protected intake: Intake = 'reading';
  /** What has arrived while the history is read, if anything. */
  private arrivals: Arrival[] | undefined;
  private repairing: Promise<void> | undefined;
  /** Both are created on first use: most channels never need them. */
  private recoveries: RecoveryReads | undefined;
  private past: SeenPositions | undefined;
  private readonly setup: LocalChannelSetup;
  private readonly surroundings: ChannelSurroundings;

  constructor(
    options: LocalChannelOptions,
    protected readonly subscribers: Subscribers = subscribersWith(options.ledger, options),
  ) {
    this.setup = options.setup;
    this.surroundings = options.surroundings;
    this.opening = this.open();
  }

  get name(): ChannelName {
    return this.setup.name;
  }

  get channel(): Channel {
    return this.setup.channel;
  }

  /** Whether clients know it by its own name, unlike a companion. */
  get isCompanion(): boolean {
    return this.name !== this.channel.name;
  }

  get subscriptions(): Pick<SubscriptionMap, 'size' | 'get' | 'has' | 'values'> {
    return this.subscribers.subscriptions;
  }

  /** Adds a session, or adds it again. It is held back until `goLive`. */
  add(session: Session, formerSession?: string): Subscription {
    return this.subscribers.add(session, formerSession);
  }

  /** Returns false if the session was not there. */
  remove(session: Session): boolean {
    return this.subscribers.remove(session);
  }

  /** A publication has arrived from the broker. */
  receive(publication: Publication, epoch: string): void {
    if (publication.seq === 0) return this.subscribers.deliver(publication, epoch);
    if (this.intake === 'doubtful') return;
    if (this.intake === 'reading') return this.postpone([publication, epoch]);
    if (epoch === this.position?.epoch && publication.seq <= this.position.seq) return;
    if (!this.isNext(publication, epoch)) return this.doubt();
    this.position = { epoch, seq: publication.seq };
    this.deliver(publication, epoch);
  }

  /**
   * What a subscriber missed since a position, and its new position. Without a position, only the current position of
   * the channel.
   *
   * @throws GatehouseError SERVER_BUSY if the broker cannot be reached
   */
  async recover(subscription: Subscription, since: Position | undefined): Promise<History> {
    const { histories } = this.surroundings;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const before = this.position;
      const read = () => (this.recoveries ??= new RecoveryReads(histories, this.name)).since(since);
      const history = this.standing(since) ?? seenBy(since, await read());
      const { top } = history;
      const isBehind = top.epoch === before?.epoch && top.seq < before.seq;
      if (top.epoch === this.position?.epoch && !isBehind) {
        subscription.recoveredTo(top);
        return history;
      }
      // Another epoch, or older than the position here. Only the broker knows the current state.
      this.doubt();
      await this.repair();
    }
    throw new GatehouseError('SERVER_BUSY');
  }

  /** The reply is on its way: publications from meanwhile follow, then the session is live. */
  goLive(subscription: Subscription): void {
    this.subscribers.goLive(subscription);
  }

  /**
   * Has the position checked, which reveals publications that were lost unnoticed. `asked` takes it, so that those of
   * several channels are checked together.
   */
  check(asked: Map<ChannelName, Position>): void {
    if (this.intake === 'following' && this.position !== undefined) asked.set(this.name, this.position);
  }

  /** The channel was not at this position when it was checked. If publications have arrived since, they tell. */
  contradicted(position: Position): void {
    if (isSamePosition(position, this.position)) this.doubt();
  }

  /** Publications may have been missed. */
  doubt(): void {
    if (!this.setup.hasHistory || this.intake === 'doubtful') return;
    this.intake = 'doubtful';
    this.surroundings.repairs.add(this);
  }

  /**
   * Reads the history after the position, and delivers or announces what is missing.
   *
   * @throws GatehouseError SERVER_BUSY if the broker cannot be reached; the channel then stays doubtful
   */
  repair(): Promise<void> {
    this.repairing ??= this.readMissing();
    return this.repairing;
  }

  private async open(): Promise<void> {
    await this.surroundings.broker.subscribe(this.name);
    if (this.setup.hasHistory) this.stand(await this.beginning());
    this.opening = undefined;
    this.follow();
  }

  /** Whether nothing is missing between the position and this publication. */
  protected isNext({ seq }: Publication, epoch: string): boolean {
    return epoch === this.position?.epoch && seq === this.position.seq + 1;
  }

  /** The position from which publications are delivered. */
  protected beginning(): Promise<History> {
    return this.surroundings.broker.history(this.name, { limit: 0 });
  }

  protected deliver(publication: Publication, epoch: string, continues?: History['continues']): void {
    this.subscribers.deliver(publication, epoch, continues);
  }

  /** Reads what is missing, and returns the step that delivers or announces it. */
  protected missing(): Promise<() => void> {
    return this.newHistory().then((history) => () => this.bring(history));
  }

  private async readMissing(): Promise<void> {
    try {
      await this.opening;
      // Reads again if there was a reason for doubt during the read.
      while (this.intake === 'doubtful') await this.readOnce();
    } finally {
      this.repairing = undefined;
    }
  }

  private async readOnce(): Promise<void> {
    this.intake = 'reading';
    try {
      const bring = await this.missing();
      bring();
      this.follow();
    } catch (error) {
      this.arrivals = undefined;
      this.intake = 'doubtful';
      throw error;
    }
  }

  /** If the broker need not be asked: later publications arrive by themselves, or are announced as lost. */
  private standing(since: Position | undefined): History | undefined {
    const { position } = this;
    const misses = since !== undefined && !isSamePosition(since, position);
    return position === undefined || misses ? undefined : { top: position, publications: [] };
  }

  /** Everything that is new after the position, or after the last position that is still known. */
  protected newHistory(): Promise<History> {
    const { histories } = this.surroundings;
    return this.positionsSeen.readNews((query) => histories.history(this.name, query), this.position);
  }

  protected bring(history: History): void {
    const { top, publications } = history;
    const isContinued = isContinuedBy(this.position, history);
    const known = (isContinued ? this.position?.seq : this.positionsSeen.knownIn(history, this.position)) ?? 0;
    let expected = isContinued ? known + 1 : null;
    for (const publication of publications) {
      const { seq } = publication;
      if (seq <= known) continue;
      if (seq !== expected) this.subscribers.announce({ from: expected, to: seq - 1 }, history);
      this.deliver(publication, top.epoch, history.continues);
      expected = seq + 1;
    }
    if (expected === null || expected <= top.seq) this.subscribers.announce({ from: expected, to: top.seq }, history);
    this.stand(history);
  }

  protected stand(history: History): void {
    if (this.position !== undefined || history.continues?.length) this.positionsSeen.moved(this.position, history);
    this.position = history.top;
  }

  private get positionsSeen(): SeenPositions {
    return (this.past ??= new SeenPositions());
  }

  /** Delivers what arrived while the history was read. */
  private follow(): void {
    const { arrivals = [] } = this;
    this.arrivals = undefined;
    if (this.intake !== 'reading') return;
    this.intake = 'following';
    for (const arrival of arrivals) this.receive(...arrival);
  }

  private postpone(arrival: Arrival): void {
    if ((this.arrivals ??= []).push(arrival) > MAX_ARRIVALS) this.doubt();
  }
}
