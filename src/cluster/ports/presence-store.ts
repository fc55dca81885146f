import type { ChannelName } from './broker.js';

/** One session in a channel. */
export interface Presence {
  readonly sessionId: string;
  readonly userId: string;
}

/** How much of a channel's presence to read. */
export interface MembersQuery {
  /** Read at most this many sessions, whichever they are. Default: all. */
  readonly limit?: number | undefined;
  /** Runs each step of the read, which takes bounded time. The caller decides when the next step may begin. Default: at once. */
  readonly inTurn?: <T>(step: () => Promise<T>) => Promise<T>;
}

export interface PresenceListener {
  /** The last session of a user was lost with its node. Emitted on one node only, once. */
  lost(channel: ChannelName, userId: string): void;
  /** A user that was reported as gone is back, because its node was only cut off. Emitted on that node only, once. */
  back(channel: ChannelName, userId: string): void;
}

/**
 * The members of each channel, over all nodes. Entries of a dead node are removed within 30 seconds. All
 * implementations pass test/unit/cluster/presence-contract.
 */
export abstract class PresenceStore {
  /** Must be called before anything else. */
  abstract listen(listener: PresenceListener): void;

  /**
   * Adds a session; may be repeated. Resolves with true if it is the first session of the user. Of several simultaneous
   * sessions, on whatever nodes, exactly one gets true.
   *
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached. The session may be in, and must be added again
   *   or removed
   */
  abstract add(channel: ChannelName, presence: Presence): Promise<boolean>;

  /**
   * Removes a session. Resolves with true if it was the last session of the user.
   *
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached. The session must be removed again
   */
  abstract remove(channel: ChannelName, presence: Presence): Promise<boolean>;

  /**
   * The sessions in a channel. Sessions that come or go during the read may be missing.
   *
   * @throws GatehouseError SERVER_BUSY when the store cannot be reached
   */
  abstract members(channel: ChannelName, query?: MembersQuery): Promise<readonly Presence[]>;
}
