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
  /** In a channel with an area: the cell that the key was in, and the one that a set key is in afterwards. */
  readonly formerCell?: string | undefined;
  readonly cell?: string | undefined;
}

/** What the subscribers of one cell are told. */
export interface CellDraft {
  readonly cell: string;
  readonly draft: Draft;
}

/** The part of a commit that concerns the cells of a channel with an area. */
export interface CellsCommit {
  /** Names the grid. What is stored under another one is given up. */
  readonly grid: string;
  /** At most one for each cell. */
  readonly drafts: readonly CellDraft[];
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
  /** Undefined: the subscribers of the channel are told everything. Otherwise only those of cells are told. */
  readonly cells?: CellsCommit | undefined;
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
  /** Nothing was done: only so many more keys fit, and there is no memory for what these would grow by. */
  | { readonly is: 'full'; readonly room: number; readonly grown: readonly string[] };

/** A cell of a channel. */
export interface CellPlace {
  readonly channel: ChannelName;
  readonly grid: string;
  readonly cell: string;
}

/**
 * The name under which the publications of a cell travel. No client can name it. The brace ends the hash tag of Redis
 * where that of the channel ends, so that both are in one slot of a cluster.
 */
export function cellChannelOf(channel: ChannelName, cell: string): ChannelName {
  return `${channel}}\u0001${cell}` as ChannelName;
}

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

  /**
   * Reads a part of the keys in one cell, as `page` does. The seq of the position is that of the last publication in
   * this cell, or 0 if the cell is empty. So publications of a cell say which seq they come after.
   *
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached
   */
  abstract cellPage(place: CellPlace, from?: string): Promise<StatePage>;

  /** Keys whose time is over, at most `limit`. @throws GatehouseError SERVER_BUSY if the store cannot be reached */
  abstract expired(channel: ChannelName, limit: number): Promise<readonly string[]>;
}
