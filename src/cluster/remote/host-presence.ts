import type { ChannelName } from '../ports/broker.js';
import { ExpiringMap } from '../ports/expiring-map.js';
import type { Presence } from '../ports/presence-store.js';
import type { HostNode } from './host-node.js';

/** As in Redis: `again` if an earlier attempt may have succeeded, `kept` for sessions that were in already. */
export type EnterMode = 'new' | 'again' | 'kept';

interface Entry extends Presence {
  readonly node: HostNode;
  /** Counts up, so that a read can go on where it stopped. */
  readonly number: number;
}

interface Members {
  readonly bySession: Map<string, Entry>;
  /** Number of sessions of each user. */
  readonly byUser: Map<string, number>;
}

/** How long, and how many, users are remembered that were reported as gone because their node was lost. */
const GONE_MS = 86_400_000;
const MAX_GONE = 100_000;

/** A part of the members, and where to go on. */
export interface MembersSlice {
  readonly presences: readonly (readonly [sessionId: string, userId: string])[];
  readonly next: number | undefined;
}

/** Presence of all workers, in the primary. */
export class HostPresence {
  private readonly channels = new Map<ChannelName, Members>();
  private readonly gone = new ExpiringMap<true>(GONE_MS, MAX_GONE);
  private last = 0;

  /** Returns whether the user has come. */
  enter(node: HostNode, channel: ChannelName, { sessionId, userId, mode }: Presence & { readonly mode: EnterMode }) {
    const members = this.obtain(channel);
    node.channels.add(channel);
    const known = members.bySession.get(sessionId);
    this.last += 1;
    members.bySession.set(sessionId, { sessionId, userId, node, number: known?.number ?? this.last });
    if (known !== undefined) return mode === 'again' && members.byUser.get(userId) === 1;
    const wasGone = this.gone.get(goneName(channel, userId)) ?? false;
    this.gone.delete(goneName(channel, userId));
    const count = (members.byUser.get(userId) ?? 0) + 1;
    members.byUser.set(userId, count);
    return count === 1 && (mode !== 'kept' || wasGone);
  }

  /** Returns whether the user has gone. */
  leave(channel: ChannelName, { sessionId, userId }: Presence, isRetry: boolean): boolean {
    const members = this.channels.get(channel);
    const entry = members?.bySession.get(sessionId);
    if (members === undefined || entry === undefined) return isRetry && !members?.byUser.has(userId);
    const hasGone = this.takeOut(members, entry);
    this.forgetIfEmpty(channel, members);
    return hasGone;
  }

  /** At most `limit` sessions, after the one with this number. */
  members(channel: ChannelName, after: number, limit: number): MembersSlice {
    const presences: [string, string][] = [];
    for (const { sessionId, userId, number } of this.channels.get(channel)?.bySession.values() ?? []) {
      if (number <= after) continue;
      presences.push([sessionId, userId]);
      if (presences.length >= limit) return { presences, next: number };
    }
    return { presences, next: undefined };
  }

  /** Removes the entries of a lost node. Returns the users that are gone, by channel. */
  purge(node: HostNode): readonly (readonly [channel: ChannelName, users: readonly string[]])[] {
    const told: [ChannelName, string[]][] = [];
    for (const channel of node.channels) {
      const members = this.channels.get(channel);
      if (members === undefined) continue;
      const gone: string[] = [];
      for (const entry of members.bySession.values()) {
        if (entry.node === node && this.takeOut(members, entry)) gone.push(entry.userId);
      }
      for (const userId of gone) this.gone.set(goneName(channel, userId), true);
      if (gone.length > 0) told.push([channel, gone]);
      this.forgetIfEmpty(channel, members);
    }
    node.channels.clear();
    return told;
  }

  private obtain(channel: ChannelName): Members {
    const members = this.channels.get(channel) ?? { bySession: new Map(), byUser: new Map() };
    this.channels.set(channel, members);
    return members;
  }

  private takeOut({ bySession, byUser }: Members, { sessionId, userId }: Entry): boolean {
    bySession.delete(sessionId);
    const left = (byUser.get(userId) ?? 1) - 1;
    if (left > 0) byUser.set(userId, left);
    else byUser.delete(userId);
    return left === 0;
  }

  private forgetIfEmpty(channel: ChannelName, { bySession }: Members): void {
    if (bySession.size === 0) this.channels.delete(channel);
  }
}

/** A control character, which no channel name contains. */
function goneName(channel: ChannelName, userId: string): string {
  return `${channel}\0${userId}`;
}
