import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { OwnKey } from '../../../config/state-options.js';
import type { Presence } from '../../cluster/ports/presence-store.js';
import { StateStore, type StateEntry } from '../../cluster/ports/state-store.js';
import type { Session } from '../../sessions/session.js';
import { ChannelHub } from '../channel-hub.js';
import type { Channel } from '../channel.js';
import { PresenceTracker, type Departure } from '../presence/presence-tracker.js';
import { StateWriter } from './state-writer.js';

const RETRY_MS = 1_000;
/** Looking for the keys of owners that have left reads the whole channel. It takes at most a fifth of the time. */
const REST_FACTOR = 4;
/** Less than this needs no rest. */
const SHORT_MS = 5;
/** Owners that wait for the store, of one channel. Beyond it, the keys of the others stay until their time is over. */
const MAX_OWED = 10_000;

/** Whose a key becomes that the session sets. The user is part of it, because a lost node cannot name its sessions. */
export function ownerOf({ id, userId }: Pick<Session, 'id' | 'userId'>, ownKey: OwnKey): string {
  return ownKey === 'session' ? `${id} ${userId}` : userId;
}

/** A session that has set a key. */
interface Setter {
  readonly session: Session;
  readonly channel: Channel;
  readonly owner: string;
}

/** Owners of one channel that have left, and whose keys are still there. */
interface Owed {
  readonly channel: Channel;
  readonly owners: Set<string>;
  /** Users whose sessions have all gone, with their node. */
  readonly users: Set<string>;
}

/** Removes the keys of owners that have left the channel, when their presence ends. */
@Injectable()
export class StateOwners implements OnApplicationShutdown {
  /** Sessions of this node that have set keys, by channel, so that those who never did cost nothing when they leave. */
  private readonly setters = new Map<string, Set<string>>();
  private readonly owed = new Map<string, Owed>();
  private isPaying = false;
  private isClosed = false;
  /** Runs while keys are owed that could not be removed. */
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: StateStore,
    private readonly writer: StateWriter,
    private readonly hub: ChannelHub,
    private readonly presence: PresenceTracker,
  ) {
    presence.onDeparture((departure) => this.departed(departure));
  }

  onApplicationShutdown(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  /** A session has set a key. */
  note(session: Session, channel: Channel): void {
    const ownKey = ownKeyOf(channel);
    if (ownKey === 'none') return;
    const owner = ownerOf(session, ownKey);
    const setters = this.setters.get(channel.name) ?? new Set();
    this.setters.set(channel.name, setters.add(owner));
    if (this.hub.isSubscribed(session, channel.name)) this.owed.get(channel.name)?.owners.delete(owner);
    // It has left while the key was on its way.
    else void this.oweIfGone({ session, channel, owner });
  }

  /** The owner may be there still: another session of the user, or a connection that broke a moment ago. */
  private async oweIfGone({ session, channel, owner }: Setter): Promise<void> {
    const isUser = ownKeyOf(channel) === 'user';
    const isOwner = ({ sessionId, userId }: Presence): boolean =>
      isUser ? userId === session.userId : sessionId === session.id;
    // If that cannot be told, the keys stay until their time is over: they may be those of somebody who is there.
    const isThere = await this.presence.members(channel).then(
      (members) => members.some(isOwner),
      () => true,
    );
    if (isThere) return;
    this.forgetSetter(channel, owner);
    this.owe(channel, owner);
  }

  /** Returns whether it had set keys on this node. */
  private forgetSetter({ name }: Channel, owner: string): boolean {
    const setters = this.setters.get(name);
    const hasSet = setters?.delete(owner) ?? false;
    if (setters?.size === 0) this.setters.delete(name);
    return hasSet;
  }

  private departed({ channel, userId, sessionId, isLast }: Departure): void {
    const ownKey = ownKeyOf(channel);
    if (ownKey === 'none') return;
    if (sessionId === undefined) return this.oweUser(channel, userId);
    if (ownKey === 'user' && !isLast) return;
    const owner = ownKey === 'user' ? userId : `${sessionId} ${userId}`;
    const hasSet = this.forgetSetter(channel, owner);
    // A user may have set keys on other nodes.
    if (hasSet || ownKey === 'user') this.owe(channel, owner);
  }

  private owe(channel: Channel, owner: string): void {
    const { owners } = this.owedIn(channel);
    if (owners.size < MAX_OWED) owners.add(owner);
    // Those who leave in one turn are looked for together.
    setImmediate(() => void this.pay());
  }

  private oweUser(channel: Channel, userId: string): void {
    const { users } = this.owedIn(channel);
    if (users.size < MAX_OWED) users.add(userId);
    setImmediate(() => void this.pay());
  }

  private owedIn(channel: Channel): Owed {
    const owed = this.owed.get(channel.name) ?? { channel, owners: new Set(), users: new Set() };
    this.owed.set(channel.name, owed);
    return owed;
  }

  /** What fails is tried again a second later, and so is what becomes due meanwhile. */
  private async pay(): Promise<void> {
    if (this.isPaying) return;
    this.isPaying = true;
    try {
      // A copy, because what has failed is put back.
      const due = [...this.owed.values()];
      for (const owed of due) await this.payOne(owed);
    } finally {
      this.isPaying = false;
      this.payLater();
    }
  }

  private payLater(): void {
    clearTimeout(this.timer);
    if (this.owed.size > 0 && !this.isClosed) this.timer = setTimeout(() => void this.pay(), RETRY_MS).unref();
  }

  private async payOne(owed: Owed): Promise<void> {
    const startedAt = performance.now();
    this.owed.delete(owed.channel.name);
    await this.removeKeys(owed).catch(() => this.giveBack(owed));
    const took = performance.now() - startedAt;
    if (took > SHORT_MS) await rest(took * REST_FACTOR);
  }

  private giveBack({ channel, owners, users }: Owed): void {
    const owed = this.owedIn(channel);
    for (const owner of owners) owed.owners.add(owner);
    for (const user of users) owed.users.add(user);
  }

  /** @throws GatehouseError SERVER_BUSY */
  private async removeKeys(owed: Owed): Promise<void> {
    const { channel } = owed;
    let from: string | undefined;
    do {
      const { entries, next } = await this.store.page(channel.name, from);
      const found = entries.filter(({ owner }) => owner !== undefined && isOwed(owner, owed));
      await Promise.all(found.map((entry) => this.remove(channel, entry)));
      from = next;
    } while (from !== undefined);
  }

  private async remove(channel: Channel, { key, version, owner }: StateEntry): Promise<void> {
    try {
      await this.writer.carryOut(channel, { key, what: 'remove', ifVersion: version, owner, isOwnOnly: true });
    } catch (error) {
      // Set again meanwhile: its owner is back.
      if ((error as { code?: unknown }).code !== 'CONFLICT') throw error;
    }
  }
}

function isOwed(owner: string, { channel, owners, users }: Owed): boolean {
  if (owners.has(owner)) return true;
  // The id of a user may contain spaces, that of a session does not.
  return users.has(ownKeyOf(channel) === 'session' ? owner.slice(owner.indexOf(' ') + 1) : owner);
}

function ownKeyOf({ namespace: { state } }: Channel): OwnKey {
  return state?.ownKey ?? 'none';
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
