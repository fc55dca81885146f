import type { ChannelName } from './broker.js';

/** One session in a channel. */
export interface Presence {
  readonly sessionId: string;
  readonly userId: string;
}

export const PRESENCE_STORE = Symbol('PresenceStore');

/**
 * Who is in which channel, over all nodes. What a node that died has entered is gone within 30 seconds.
 * All implementations pass test/unit/cluster/presence-contract.
 */
export interface PresenceStore {
  /** Resolves with how many sessions of the user the channel has, this one included. */
  add(channel: ChannelName, presence: Presence): Promise<number>;
  /** Resolves with how many sessions of the user are left. */
  remove(channel: ChannelName, presence: Presence): Promise<number>;
  members(channel: ChannelName): Promise<readonly Presence[]>;
}
