import type { ChannelName, Draft, Position, PublishOptions } from './broker.js';

/** The value of one key. */
export interface StateEntry {
  readonly key: string;
  readonly value: unknown;
  /** The `seq` of the publication that changed it last. */
  readonly version: number;
  /** Whose it is; undefined: nobody's. */
  readonly owner: string | undefined;
  /** Whether its time is over, and only its removal has not been published yet. */
  readonly hasExpired: boolean;
}

/** Entries of a channel, as of a position or later. */
export interface StatePage {
  readonly position: Position;
  readonly entries: readonly StateEntry[];
  /** Where to go on. Undefined: these were the last. */
  readonly next: string | undefined;
}

/** What becomes of one key. */
export interface StateChange {
  readonly key: string;
  /** The version that the change was made from; 0: the key was absent. */
  readonly expected: number;
  /**
   * `check` only makes sure of the version. `keep` also lets the key live longer, if it is there. `expire` removes it
   * unless it lives longer by now.
   */
  readonly what: 'set' | 'remove' | 'keep' | 'check' | 'expire';
  readonly value?: unknown;
  readonly owner?: string | undefined;
}

export interface StateCommit {
  readonly changes: readonly StateChange[];
  /** The epoch that the versions are of. Undefined: nothing is known yet, and each counts as 0. */
  readonly epoch: string | undefined;
  /** The publication of the changes. Undefined if nothing changes. */
  readonly draft: Draft | undefined;
  readonly history: NonNullable<PublishOptions['history']>;
  readonly replicas: number;
  readonly maxKeys: number;
  /** How long a key lives after it was set. 0: for ever. */
  readonly ttlMs: number;
}

export type StateOutcome =
  /** All of it was done, as one step. Without a draft, the position is the current one. */
  | { readonly is: 'done'; readonly position: Position }
  /** Nothing was done: some keys are at other versions. These are they, as they are; absent ones are left out. */
  | {
      readonly is: 'stale';
      readonly epoch: string;
      readonly entries: readonly StateEntry[];
      readonly absent: readonly string[];
    }
  /** Nothing was done: only so many more keys fit. */
  | { readonly is: 'full'; readonly room: number };

/**
 * The values of state channels, beside their histories. A change and its publication are one step, so the values are
 * always the sum of the publications. All implementations pass test/unit/cluster/state-store-contract.
 */
export abstract class StateStore {
  /**
   * Changes keys and publishes the changes, if all keys are at the versions expected.
   *
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached: it is unknown whether it was done.
   *   NOT_REPLICATED if it was, but too few replicas have it in time
   */
  abstract commit(channel: ChannelName, commit: StateCommit): Promise<StateOutcome>;

  /** Reads one key. @throws GatehouseError SERVER_BUSY if the store cannot be reached */
  abstract get(
    channel: ChannelName,
    key: string,
  ): Promise<{ readonly position: Position; readonly entry: StateEntry | undefined }>;

  /**
   * Reads a part of the keys. While a channel changes between two pages, a key may come twice, and its version may be
   * beyond the position of the first page. No key is missing that was there all the time.
   *
   * @param from the `next` of the page before. Undefined: the first
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached
   */
  abstract page(channel: ChannelName, from?: string): Promise<StatePage>;

  /** Keys whose time is over, at most `limit`. @throws GatehouseError SERVER_BUSY if the store cannot be reached */
  abstract expired(channel: ChannelName, limit: number): Promise<readonly string[]>;
}
