import { isRetryable, type Gap, type Position, type Publisher, type UnsubscribedNotice } from '@gatehouse/protocol';
import { backoff } from './delays.js';
import type { Environment } from './environment.js';
import { GatehouseError } from './errors.js';
import { isObject, type Incoming } from './incoming.js';
import { Members, type Member } from './presence.js';
import type { ChannelPublication, Reader, SubscribedState } from './reader.js';
import type { Requests } from './requests.js';
import { Timers } from './timers.js';

export type SubscriptionState = 'waiting' | 'subscribing' | 'live' | 'refused';

/** What a subscription tells those who read the channel. */
export interface Follower {
  readonly reader: Reader;
  readonly wantsPresence: boolean;
  onPresence(members: readonly Member[]): void;
  onState(): void;
  onError(error: GatehouseError): void;
}

export interface SubscriptionHost {
  readonly environment: Environment;
  readonly requests: Requests;
  readonly isOpen: () => boolean;
  /** The session before this one: its own publications stay excluded. */
  readonly previousSession: () => string | undefined;
  readonly onError: (error: GatehouseError) => void;
}

/** One channel of one connection, however many read it. */
export class Subscription {
  state: SubscriptionState = 'waiting';
  error: GatehouseError | undefined;
  /** Where the channel stands; `start` in a channel without history. */
  at: Position | 'start' | undefined;
  readonly followers = new Set<Follower>();
  private readonly members = new Members();
  private hasPresence = false;
  private wasLive = false;
  private attempts = 0;
  /** Replies to older requests count no more. */
  private round = 0;
  private readonly timers: Timers;

  constructor(
    readonly name: string,
    private readonly host: SubscriptionHost,
  ) {
    this.timers = new Timers(host.environment.clock);
  }

  /** Whether it is not known yet if there is a subscription. */
  get isPending(): boolean {
    return this.state === 'waiting' || this.state === 'subscribing';
  }

  get presentMembers(): readonly Member[] | undefined {
    return this.members.list();
  }

  add(follower: Follower): void {
    this.followers.add(follower);
    this.timers.clear('late');
    follower.reader.start(this.state === 'live' ? this.at : undefined);
    if (!this.host.isOpen() || this.state === 'subscribing') return;
    if (this.state !== 'live' || (follower.wantsPresence && !this.hasPresence)) this.subscribe();
  }

  /** @param onUnused called after a while in which nobody came back */
  remove(follower: Follower, lateMs: number, onUnused: () => void): void {
    this.followers.delete(follower);
    follower.reader.stop();
    if (this.followers.size > 0) return;
    this.timers.set('late', lateMs, () => {
      this.round += 1;
      this.timers.clearAll();
      const ignored = { onReply: () => {}, onError: () => {} };
      if (this.host.isOpen() && this.state !== 'refused')
        this.host.requests.ask('unsubscribe', { channel: this.name }, ignored);
      onUnused();
    });
  }

  subscribe(): void {
    if (!this.host.isOpen()) return;
    const round = ++this.round;
    this.timers.clear('retry');
    if (this.state !== 'live') this.become('subscribing');
    const presence = [...this.followers].some(({ wantsPresence }) => wantsPresence);
    const since = this.oldestPosition();
    const data = { channel: this.name, since, presence, previousSession: this.host.previousSession() };
    this.host.requests.ask(
      'subscribe',
      data,
      {
        onReply: (reply) => round === this.round && this.onReply(reply, since, presence),
        onError: (error) => round === this.round && this.onRefused(error),
      },
      { retry: false },
    );
  }

  onDown(): void {
    this.round += 1;
    this.timers.clear('retry');
    this.hasPresence = false;
    this.become('waiting');
  }

  stop(): void {
    this.round += 1;
    this.timers.clearAll();
    for (const { reader } of this.followers) reader.stop();
  }

  distrust(): void {
    for (const { reader } of this.followers) reader.distrust();
  }

  receive(message: Incoming): void {
    if (this.state !== 'live') return;
    const { type, epoch, seq, data } = message;
    if (type === 'message') {
      if (epoch !== undefined && seq !== undefined) this.at = { epoch, seq };
      for (const { reader } of this.followers) reader.accept(publicationOf(message, epoch));
    } else if (type === 'gap') this.onGap(data, epoch);
    else if (type === 'presence') this.tellMembers(this.members.onEvent(data));
    else if (type === 'unsubscribed') this.onUnsubscribed(data as UnsubscribedNotice | undefined);
  }

  private onReply(data: unknown, since: Position | undefined, presence: boolean): void {
    const state = readReply(data, since);
    if (state === undefined) {
      return this.onRefused(new GatehouseError('BAD_MESSAGE', 'The reply to a subscribe has not the right shape'));
    }
    const isFirst = !this.wasLive;
    this.attempts = 0;
    this.wasLive = true;
    this.at = state.position ?? 'start';
    this.hasPresence = presence;
    this.error = undefined;
    this.become('live');
    for (const { reader } of this.followers) reader.onSubscribed(state, isFirst);
    if (presence) this.askForMembers();
  }

  private onRefused(error: GatehouseError): void {
    if (error.code === 'CONNECTION_LOST' || error.code === 'CLOSED') return;
    // If it may be retried, the server has ended a subscription that there was.
    if (isRetryable(error.code) || error.code === 'NO_ANSWER' || error.code === 'BAD_MESSAGE') {
      this.become('subscribing');
      return this.retryIn(error.retryAfter ?? 0);
    }
    this.refuse(error);
  }

  private refuse(error: GatehouseError): void {
    this.error = error;
    this.become('refused');
    for (const follower of this.followers) follower.onError(error);
  }

  private retryIn(ms: number): void {
    this.attempts += 1;
    this.timers.set('retry', ms + backoff(this.attempts, this.host.environment.random), () => this.subscribe());
  }

  private onGap(data: unknown, epoch: string | undefined): void {
    const gap = readGap(data);
    if (gap === undefined || epoch === undefined) return this.distrust();
    this.at = { epoch, seq: gap.to };
    for (const { reader } of this.followers) reader.onLiveGap(gap, epoch);
  }

  private onUnsubscribed({ lost, code, message }: Partial<UnsubscribedNotice> = {}): void {
    const error = new GatehouseError(code ?? 'FORBIDDEN', message ?? 'The right to this subscription is lost');
    if (lost === 'presence') {
      this.hasPresence = false;
      for (const follower of this.followers) if (follower.wantsPresence) follower.onError(error);
    } else if (isRetryable(error.code)) {
      this.become('subscribing');
      this.retryIn(0);
    } else this.refuse(error);
  }

  /** After the subscribe: events are not stored, so that nobody is missed between the two. */
  private askForMembers(): void {
    const { round } = this;
    this.members.expectList();
    const onError = (error: GatehouseError): void => {
      if (round === this.round)
        for (const follower of this.followers) if (follower.wantsPresence) follower.onError(error);
    };
    const onReply = (data: unknown): void => {
      if (round === this.round) this.tellMembers(this.members.onList(data));
    };
    this.host.requests.ask('presence', { channel: this.name }, { onReply, onError });
  }

  private tellMembers(members: readonly Member[] | undefined): void {
    if (members === undefined) return;
    for (const follower of this.followers) if (follower.wantsPresence) follower.onPresence(members);
  }

  private oldestPosition(): Position | undefined {
    const all = [...this.followers].flatMap(({ reader }) => reader.top ?? []);
    // Positions of two epochs cannot be compared. The server knows whether the older one leads to the newer.
    const current = typeof this.at === 'object' ? this.at.epoch : undefined;
    const older = all.find(({ epoch }) => epoch !== current) ?? all[0];
    const tops = all.filter(({ epoch }) => epoch === older?.epoch);
    return tops.reduce<Position | undefined>(
      (oldest, top) => (oldest && oldest.seq <= top.seq ? oldest : top),
      undefined,
    );
  }

  private become(state: SubscriptionState): void {
    this.state = state;
    for (const follower of this.followers) follower.onState();
    // What was published meanwhile has waited: the server may take publications of subscribers only.
    if (!this.isPending) this.host.requests.flush();
  }
}

function publicationOf({ data, from, ts, seq }: Incoming, epoch: string | undefined): ChannelPublication {
  return { data, from, ts, epoch, seq };
}

function readReply(data: unknown, since: Position | undefined): SubscribedState | undefined {
  if (!isObject(data) || !Array.isArray(data.publications)) return undefined;
  const { epoch, seq, publications } = data;
  const position = typeof epoch === 'string' && typeof seq === 'number' ? { epoch, seq } : undefined;
  const shown = publications.map((publication: unknown): ChannelPublication | undefined => {
    if (!isObject(publication) || typeof publication.seq !== 'number') return undefined;
    const { seq: at, ts, from } = publication as { seq: number; ts?: number; from?: Publisher };
    return { data: publication.data, from, ts, seq: at, epoch: position?.epoch };
  });
  const known = shown.filter((publication) => publication !== undefined);
  const gap = data.gap == null ? undefined : readGap(data.gap);
  return known.length < shown.length || (data.gap != null && gap === undefined)
    ? undefined
    : { position, since, gap, publications: known };
}

function readGap(data: unknown): Gap | undefined {
  if (!isObject(data) || typeof data.to !== 'number') return undefined;
  return data.from === null || typeof data.from === 'number' ? { from: data.from, to: data.to } : undefined;
}
