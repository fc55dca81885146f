import { setTimeout as pause } from 'node:timers/promises';
import type { ChannelName } from '../../ports/broker.js';
import { LocalPresence, type LocalEntry, type LocalMembers } from '../../memory/local-presence.js';
import type { NodeIdentity } from '../../ports/node-registry.js';
import { failedOf } from '../../bus/batches.js';
import type { MembersQuery, Presence, PresenceListener, PresenceStore } from '../../ports/presence-store.js';
import type { RedisLink } from '../connection/redis-link.js';
import type { RedisNodeRegistry } from '../registry/redis-node-registry.js';
import { RedisScript } from '../connection/redis-script.js';
import { membersIn } from './members-in.js';

const ENTER = RedisScript.load('presence-enter');
const LEAVE = RedisScript.load('presence-leave');
const PURGE = RedisScript.load('presence-purge');

/**
 * The keys of a channel's presence in Redis, under one hash tag: `sessions`, a hash of `<incarnation>\0<user id>` by
 * session id; `users`, the number of sessions of each user; and `gone`, the users who were reported as gone because
 * their node was lost.
 */
type EnterMode = 'new' | 'again' | 'kept';

/** Entries that are not renewed for this long are forgotten, whatever wrote them. */
const LIFE_MS = 86_400_000;
/** How often everything is entered again, because a server of a Redis Cluster may lose its data unnoticed. */
const ROUND_MS = 300_000;
/** Channels that are entered again, or cleared, at one time. */
const AT_ONCE = 32;
/** Sessions in one script, so that none keeps Redis busy for long. */
const BATCH_SIZE = 200;
const RETRY_MS = 1_000;
/** Lost nodes that still have members although everything was cleared. */
const MAX_SUSPECTS = 1_000;

export interface PresenceOptions {
  readonly roundMs?: number;
}

/**
 * Presence over all nodes, in Redis. Every entry carries the incarnation of its node, and every incarnation has an
 * index of its channels. So any node that learns of a loss can find and clear the entries.
 */
export class RedisPresenceStore implements PresenceStore {
  private readonly local = new LocalPresence((channel, members) => this.unindex(channel, members));
  private readonly listeners: PresenceListener[] = [];
  private readonly round: NodeJS.Timeout;
  /** Lost nodes whose members are still found, and since when, on the performance.now() clock. */
  private readonly suspects = new Map<string, number>();
  private isRestating = false;
  private mustRestate = false;
  private isClosed = false;

  constructor(
    private readonly link: RedisLink,
    private readonly registry: RedisNodeRegistry,
    { roundMs = ROUND_MS }: PresenceOptions = {},
  ) {
    registry.listen({ lost: (node) => this.clearUpAfter(node), forgotten: () => void this.restate() });
    link.on('up', () => void this.restate());
    this.round = setInterval(() => void this.restate(), roundMs).unref();
  }

  /** The number of channels that take memory. */
  get size(): number {
    return this.local.size;
  }

  listen(listener: PresenceListener): void {
    this.listeners.push(listener);
  }

  add(channel: ChannelName, presence: Presence): Promise<boolean> {
    return this.local.inTurn(channel, presence, (members, entry) => this.enter(channel, members, entry));
  }

  remove(channel: ChannelName, presence: Presence): Promise<boolean> {
    return this.local.inTurn(channel, presence, async (members, entry) => {
      const isRetry = entry.state === 'going';
      entry.state = 'going';
      // A session that is being entered again must not be entered after it has left.
      await members.restating?.catch(() => {});
      const [sessions = '', users = ''] = this.keysOf(channel);
      const parameters = [presence.sessionId, presence.userId, isRetry ? 1 : 0];
      const hasGone = await this.link.run(LEAVE, [sessions, users], parameters);
      entry.state = 'out';
      return hasGone === 1;
    });
  }

  members(channel: ChannelName, query: MembersQuery = {}): Promise<readonly Presence[]> {
    const [sessions = ''] = this.keysOf(channel);
    const { link, registry } = this;
    return membersIn(sessions, query, { link, registry, suspect: (node) => this.suspect(channel, node) });
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.round);
  }

  private async enter(channel: ChannelName, members: LocalMembers, entry: LocalEntry): Promise<boolean> {
    const modes = { out: 'new', going: 'new', coming: 'again', in: 'kept' } as const;
    let mode: EnterMode = modes[entry.state];
    let hasCome = false;
    if (entry.state !== 'in') entry.state = 'coming';
    for (;;) {
      const { incarnation } = this.registry.self;
      await this.index(channel, members);
      const come = await this.write(channel, mode, [entry]);
      hasCome ||= come.length > 0;
      mode = 'kept';
      // This node was given up meanwhile, and entries under its former name will be cleared.
      if (incarnation !== this.registry.self.incarnation) continue;
      entry.state = 'in';
      return hasCome;
    }
  }

  private async write(channel: ChannelName, mode: EnterMode, entries: readonly Presence[]): Promise<readonly Buffer[]> {
    const pairs = entries.flatMap(({ sessionId, userId }) => [sessionId, userId]);
    const parameters = [this.registry.self.incarnation, LIFE_MS, mode, ...pairs];
    return (await this.link.run(ENTER, this.keysOf(channel), parameters)) as Buffer[];
  }

  /** Before the first session is entered, so that the index never lacks a channel. */
  private async index(channel: ChannelName, members: LocalMembers, isAnew = false): Promise<void> {
    const { incarnation } = this.registry.self;
    if (isAnew || members.index?.incarnation !== incarnation) {
      const done = this.writeIndex(incarnation, channel);
      members.index = { incarnation, done };
      done.catch(() => {
        if (members.index?.done === done) members.index = undefined;
      });
    }
    await members.index?.done;
  }

  private async writeIndex(incarnation: string, channel: ChannelName): Promise<void> {
    const { client } = this.link;
    const key = this.indexOf(incarnation);
    await this.link.attempt(() => Promise.all([client.sadd(key, channel), client.pexpire(key, LIFE_MS)]));
  }

  /** A failure leaves an index entry, which costs a look at an empty channel at the next cleanup. */
  private unindex(channel: ChannelName, { index }: LocalMembers): void {
    if (index === undefined) return;
    const key = this.indexOf(index.incarnation);
    this.link.attempt(() => this.link.client.srem(key, channel)).catch(() => {});
  }

  /** Enters all sessions of this node again, after Redis or this node may have been away. */
  private async restate(): Promise<void> {
    this.mustRestate = true;
    if (this.isRestating) return;
    this.isRestating = true;
    let due: readonly ChannelName[] = [];
    while ((this.mustRestate || due.length > 0) && !this.isClosed && this.link.isUp) {
      if (this.mustRestate) due = this.local.names;
      this.mustRestate = false;
      // A silent server of a cluster delays only its own channels.
      due = await failedOf(due, AT_ONCE, (channel) => this.restateOne(channel));
      if (due.length > 0) await pause(RETRY_MS, undefined, { ref: false });
    }
    // If Redis cannot be reached, its return starts this again.
    this.isRestating = false;
  }

  private async restateOne(channel: ChannelName): Promise<void> {
    const members = this.local.get(channel);
    if (!members) return;
    const underWay = this.restateMembers(channel, members);
    members.restating = underWay;
    try {
      await underWay;
    } finally {
      members.restating = undefined;
    }
  }

  private async restateMembers(channel: ChannelName, members: LocalMembers): Promise<void> {
    await this.index(channel, members, true);
    const entries = [...members.sessions.values()];
    for (let start = 0; start < entries.length; start += BATCH_SIZE) {
      const batch = entries.slice(start, start + BATCH_SIZE).filter(({ state }) => state === 'in');
      if (batch.length === 0) continue;
      const back = await this.write(channel, 'kept', batch);
      for (const userId of back) this.tell('back', channel, String(userId));
    }
  }

  private async clearUpAfter({ incarnation }: NodeIdentity): Promise<void> {
    const index = this.indexOf(incarnation);
    for (;;) {
      // No cursor: cleared entries are removed.
      const channels = await this.link.attempt(() => this.link.client.srandmember(index, AT_ONCE));
      if (channels.length === 0) return;
      await Promise.all(channels.map((channel) => this.purge(channel as ChannelName, incarnation)));
      await this.link.attempt(() => this.link.client.srem(index, ...channels));
    }
  }

  private async purge(channel: ChannelName, incarnation: string): Promise<void> {
    let cursor = '0';
    do {
      const reply = await this.link.run(PURGE, this.keysOf(channel), [incarnation, cursor, LIFE_MS]);
      const [next, gone] = reply as [Buffer, Buffer[]];
      for (const userId of gone) this.tell('lost', channel, String(userId));
      cursor = String(next);
    } while (cursor !== '0');
  }

  /**
   * The cleanup finds every channel in the index. A member that is still there much later is missing from the index.
   */
  private suspect(channel: ChannelName, incarnation: string): void {
    const since = this.suspects.get(incarnation);
    if (since === undefined) {
      const [oldest] = this.suspects.keys();
      if (this.suspects.size >= MAX_SUSPECTS && oldest !== undefined) this.suspects.delete(oldest);
      this.suspects.set(incarnation, performance.now());
    } else if (performance.now() - since > 2 * this.registry.leaseMs) {
      this.purge(channel, incarnation).catch(() => {});
    }
  }

  private tell(event: keyof PresenceListener, channel: ChannelName, userId: string): void {
    for (const listener of this.listeners) listener[event](channel, userId);
  }

  private keysOf(channel: ChannelName): string[] {
    return ['sessions', 'users', 'gone'].map((part) => this.link.key(channel, part));
  }

  private indexOf(incarnation: string): string {
    return this.link.key(`node:${incarnation}`, 'presence');
  }
}
