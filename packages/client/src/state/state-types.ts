import type { GatehouseError } from '../errors.js';

export interface StateChange<V = unknown> {
  /** The new values by their keys. */
  readonly set: ReadonlyMap<string, V>;
  readonly removed: readonly string[];
  /** Whether everything was replaced: `set` has all values there are. */
  readonly isSnapshot: boolean;
}

/** What is looked at, by the least and the greatest of both coordinates. */
export type StateArea = readonly [minFirst: number, minSecond: number, maxFirst: number, maxSecond: number];

export interface ChannelStateOptions<V = unknown> {
  /** The box that is looked at, in a channel with an area. `look` moves it. */
  readonly area?: StateArea | undefined;
  readonly onChange?: ((change: StateChange<V>) => void) | undefined;
  readonly onError?: ((error: GatehouseError) => void) | undefined;
}

/** A new object for each change. `values` is always the same map. */
export interface ChannelStateSnapshot<V = unknown> {
  /**
   * `live`: `values` is complete and follows the server. `refused`: the server does not allow it, see `error`; it may
   * allow another box.
   */
  readonly state: 'waiting' | 'loading' | 'live' | 'refused';
  readonly values: ReadonlyMap<string, V>;
  readonly error?: GatehouseError | undefined;
}

export interface StateChangeOptions {
  /** Only if the key is at this version; 0: only if it is absent. Otherwise `CONFLICT`, with the value as `data`. */
  readonly ifVersion?: number | undefined;
}

export interface StateChangeReply {
  readonly key: string;
  readonly epoch: string;
  /** 0: the key is absent. */
  readonly version: number;
}

/** The values of a state channel, which follow the server until `close`. */
export interface ChannelState<V = unknown> {
  readonly name: string;
  readonly values: ReadonlyMap<string, V>;
  readonly getSnapshot: () => ChannelStateSnapshot<V>;
  /** Calls back after each change of the snapshot. Returns the end of it. */
  readonly subscribe: (listener: () => void) => () => void;
  /** For `ifVersion`; 0: the key is absent. */
  versionOf(key: string): number;
  /** Merges a patch into the value: a field that is null is removed. */
  set(key: string, patch: unknown, options?: StateChangeOptions): Promise<StateChangeReply>;
  remove(key: string, options?: StateChangeOptions): Promise<StateChangeReply>;
  /** Looks at another box. Its values come with the next changes; those outside of it and of a ring around it go. */
  look(area: StateArea): void;
  close(): void;
}
