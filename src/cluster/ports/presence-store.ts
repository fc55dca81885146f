import type { ChannelName } from './broker.js';

/** One session in a channel. */
export interface Presence {
  readonly sessionId: string;
  readonly userId: string;
}

export interface PresenceListener {
  /** The last session of a user has gone with the node that it was on. Told to one node only, once. */
  lost(channel: ChannelName, userId: string): void;
  /** A user of whom that was told is there after all: its node was cut off, and is back. Told to that node only, once. */
  back(channel: ChannelName, userId: string): void;
}

/**
 * Who is in which channel, over all nodes. What a node that died has entered is gone within 30 seconds.
 * All implementations pass test/unit/cluster/presence-contract.
 */
export abstract class PresenceStore {
  /** Called before anything else. */
  abstract listen(listener: PresenceListener): void;

  /**
   * Twice is as good as once. Resolves with whether the user has come: no other session of it was there. Of sessions that
   * come at one time, on whatever nodes, exactly one is told so.
   *
   * @throws GatehouseError SERVER_BUSY when the store cannot be reached; it may be in by then, and is to be added again or removed
   */
  abstract add(channel: ChannelName, presence: Presence): Promise<boolean>;

  /**
   * Resolves with whether the user has gone: the session was there, and was the user's last.
   *
   * @throws GatehouseError SERVER_BUSY when the store cannot be reached; then it is to be removed again
   */
  abstract remove(channel: ChannelName, presence: Presence): Promise<boolean>;

  /** @throws GatehouseError SERVER_BUSY when the store cannot be reached */
  abstract members(channel: ChannelName): Promise<readonly Presence[]>;
}
