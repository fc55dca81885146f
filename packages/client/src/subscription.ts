import { isRetryable, type Position, type UnsubscribedNotice } from '@gatehouse/protocol';
import { backoff } from './delays.js';
import type { Environment } from './environment.js';
import { failure, GatehouseError } from './errors.js';
import type { Incoming } from './incoming.js';
import type { Link } from './link.js';
import { oldestOf } from './positions.js';
import { Members, type Member } from './presence.js';
import type { Reader } from './reader.js';
import type { Requests } from './requests.js';
import { publicationOf, readGap, readReply } from './subscribe-reply.js';
import { Timers } from './timers.js';

export type SubscriptionState = 'waiting' | 'subscribing' | 'live' | 'refused';

/** What a subscription tells those who read the channel. */
export interface Follower {
  readonly reader: Reader;
  readonly presence: boolean;
  onPresence(members: readonly Member[]): void;
  onChange(): void;
  onError(error: GatehouseError): void;
}

export interface SubscriptionHost extends Environment {
  readonly requests: Requests;
  readonly link: Link;
  /** The session before this one: its own publications stay excluded. */
  readonly previousSession: string | undefined;
  onError(error: GatehouseError): void;
}

/** A component that is mounted again right away keeps the subscription. */
const UNSUBSCRIBE_AFTER_MS = 1_000;
/** Besides what the server marks for retry: it may have been the connection, or another program between the two. */
const RETRIED = ['NO_ANSWER', 'BAD_MESSAGE'];

/** One channel of one connection, however many read it. */
export class Subscription {
  state: SubscriptionState = 'waiting';
  error: GatehouseError | undefined;
  private readonly _followers = new Set<Follower>();
  private readonly _members = new Members();
  /** Where the channel stands; `start` in a channel without history. */
  private _at: Position | 'start' | undefined;
  private _hasPresence = false;
  private _attempts = 0;
  /** Replies to older requests count no more. */
  private _round = 0;
  private readonly _timers: Timers;

  /** @param _onUnused called a while after the last follower has gone */
  constructor(
    private readonly _name: string,
    private readonly _host: SubscriptionHost,
    private readonly _onUnused: () => void,
  ) {
    this._timers = new Timers(_host.clock);
  }

  /** Whether it is not known yet if there is a subscription. */
  get pending(): boolean {
    return this.state === 'waiting' || this.state === 'subscribing';
  }

  get members(): readonly Member[] | undefined {
    return this._members.list();
  }

  add(follower: Follower): void {
    const { members } = this;
    this._followers.add(follower);
    this._timers.clear('late');
    follower.reader.start(this.state === 'live' ? this._at : undefined);
    if (this.state === 'live' && (this._hasPresence || !follower.presence)) {
      if (members && follower.presence) follower.onPresence(members);
    } else if (this.state !== 'subscribing') this.subscribe();
  }

  remove(follower: Follower): void {
    follower.reader.stop();
    // After `stop` it is nobody's: another subscription may have its name by now.
    if (!this._followers.delete(follower) || this._followers.size > 0) return;
    this._timers.set('late', UNSUBSCRIBE_AFTER_MS, () => {
      this.stop();
      if (this._isOpen && this.state !== 'refused')
        this._host.requests.ask('unsubscribe', { channel: this._name }, () => {});
      this._onUnused();
    });
  }

  subscribe(): void {
    if (!this._isOpen) return;
    const round = ++this._round;
    this._timers.clear('retry');
    if (this.state !== 'live') this._become('subscribing');
    const presence = this._watchers.length > 0;
    const tops = [...this._followers].flatMap(({ reader }) => reader.top ?? []);
    const since = oldestOf(tops, (this._at as Position | undefined)?.epoch);
    const { requests, previousSession } = this._host;
    const onAnswer = (error: GatehouseError | undefined, reply: unknown): void => {
      if (round !== this._round) return;
      if (error) this._onRefused(error);
      else this._onReply(reply, since, presence);
    };
    requests.ask('subscribe', { channel: this._name, since, presence, previousSession }, onAnswer, { retry: false });
  }

  onDown(): void {
    this._round += 1;
    this._timers.clear('retry');
    this._hasPresence = false;
    this._become('waiting');
  }

  stop(): void {
    this._round += 1;
    this._timers.clear();
    for (const { reader } of this._followers) reader.stop();
    this._followers.clear();
  }

  distrust(): void {
    for (const { reader } of this._followers) reader.distrust();
  }

  receive(message: Incoming): void {
    if (this.state !== 'live') return;
    const { type, epoch, seq, data } = message;
    if (type === 'message') {
      if (epoch !== undefined && seq !== undefined) this._at = { epoch, seq };
      const isUnordered = !!this._host.link.hello?.connection;
      for (const { reader } of this._followers) reader.accept(publicationOf(message, epoch), isUnordered);
    } else if (type === 'gap') this._onGap(data, epoch);
    else if (type === 'presence') this._tellMembers(this._members.onEvent(data));
    else this._onUnsubscribed(data ?? {});
  }

  private get _isOpen(): boolean {
    return this._host.link.state === 'open';
  }

  /** Those who want to know who is there. */
  private get _watchers(): readonly Follower[] {
    return [...this._followers].filter(({ presence }) => presence);
  }

  private _onReply(reply: unknown, since: Position | undefined, presence: boolean): void {
    const state = readReply(reply, since);
    if (!state) return this._onRefused(failure('BAD_MESSAGE'));
    const isFirst = !this._at;
    this._attempts = 0;
    this._at = state.position ?? 'start';
    this._hasPresence = presence;
    this.error = undefined;
    this._become('live');
    for (const { reader } of this._followers) reader.onReply(state, isFirst);
    if (presence) this._askForMembers();
    // It has come while the answer was under way.
    else if (this._watchers.length > 0) this.subscribe();
  }

  private _onRefused(error: GatehouseError): void {
    const isRetried = RETRIED.includes(error.code);
    if (isRetried || isRetryable(error.code)) this._retry(error.retryAfter);
    else this._refuse(error);
    // Last, as its handler may close the client.
    if (isRetried) this._host.onError(error);
  }

  private _refuse(error: GatehouseError): void {
    this.error = error;
    this._become('refused');
    for (const follower of this._followers) follower.onError(error);
  }

  private _retry(afterMs = 0): void {
    this._attempts += 1;
    const delayMs = afterMs + backoff(this._attempts, this._host.random);
    this._timers.set('retry', delayMs, () => this.subscribe());
    this._become('subscribing');
  }

  private _onGap(data: unknown, epoch: string | undefined): void {
    const gap = readGap(data);
    if (!gap || !epoch) return this.distrust();
    this._at = { epoch, seq: gap.to };
    for (const { reader } of this._followers) reader.onGap(gap, epoch);
  }

  private _onUnsubscribed({ lost, code = 'FORBIDDEN', message = code }: Partial<UnsubscribedNotice>): void {
    const error = new GatehouseError(code, message);
    if (lost === 'presence') {
      this._hasPresence = false;
      for (const follower of this._watchers) follower.onError(error);
    } else if (isRetryable(code)) this._retry();
    else this._refuse(error);
  }

  /** After the subscribe: events are not stored, so that nobody is missed between the two. */
  private _askForMembers(): void {
    const { _round: round } = this;
    this._members.start();
    this._host.requests.ask('presence', { channel: this._name }, (error, reply) => {
      if (round !== this._round) return;
      const members = this._members.onList(reply);
      if (members) this._tellMembers(members);
      else for (const follower of this._watchers) follower.onError(error ?? failure('BAD_MESSAGE'));
    });
  }

  private _tellMembers(members: readonly Member[] | undefined): void {
    if (members) for (const follower of this._watchers) follower.onPresence(members);
  }

  private _become(state: SubscriptionState): void {
    this.state = state;
    for (const follower of this._followers) follower.onChange();
    // What was published meanwhile has waited: the server may take publications of subscribers only.
    if (!this.pending) this._host.requests.flush();
  }
}
