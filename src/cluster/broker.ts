import type { Publisher } from '../protocol/envelope.js';

declare const brand: unique symbol;
/** `namespace:name`, checked. */
export type ChannelName = string & { readonly [brand]: 'ChannelName' };

/** A place in a channel's history. `seq` counts 1, 2, 3 … within an epoch; a history that was lost begins a new epoch. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** What somebody wants to publish. */
export interface Draft {
  readonly data: unknown;
  readonly from: Publisher | undefined;
  /** The session that is not to get it, although it is subscribed. */
  readonly excludeSession: string | undefined;
  /** Milliseconds since 1970 after which it must not be delivered any more; undefined: never. */
  readonly expiresAt: number | undefined;
}

/** What was published. */
export interface Publication extends Draft {
  /** Server time, milliseconds since 1970. */
  readonly ts: number;
  /** Zero in a channel without history. */
  readonly seq: number;
}

export interface PublishOptions {
  /** What the channel keeps; undefined: nothing, and the publication has no position. */
  readonly history: { readonly size: number; readonly ageMs: number } | undefined;
  /** A second publish with the same key within five minutes is not made; it is answered as the first was. */
  readonly idempotencyKey: string | undefined;
}

export interface Published {
  /** Undefined in a channel without history. */
  readonly position: Position | undefined;
  /** Whether the idempotency key was known, and nothing was published now. */
  readonly isRepeat: boolean;
}

export interface HistoryQuery {
  /** Only what came after this seq. */
  readonly afterSeq?: number | undefined;
  /** At most this many, the oldest of them first; undefined: all that is kept. */
  readonly limit?: number | undefined;
  /** Newest first. */
  readonly reverse?: boolean | undefined;
}

export interface History {
  /** Where the channel stands now. */
  readonly top: Position;
  /** Consecutive, ascending unless asked for in reverse. May begin later than asked: what is older is gone. */
  readonly publications: readonly Publication[];
}

/** What a broker tells the node it serves. */
export interface BrokerListener {
  /**
   * Something was published in a channel that this node has subscribed to. In order within a channel and epoch.
   * May come twice, and may be missing after `interrupted`: the receiver holds it against `seq`.
   */
  published(channel: ChannelName, publication: Publication, epoch: string): void;
  /** Publications may have been missed, of all channels: their positions must be checked. */
  interrupted(): void;
}

export const BROKER = Symbol('Broker');

/**
 * Carries publications between the nodes that have subscribers, and keeps the history of channels.
 * All implementations pass test/unit/cluster/broker-contract.
 */
export interface Broker {
  /** Called once, before anything else. */
  listen(listener: BrokerListener): void;

  /**
   * Appends to the history and carries to every subscribed node, as one step: no two publications of a channel get
   * the same seq, and none is carried that a later `history` does not know.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached; then nothing was published, or it is
   *   unknown whether it was: a retry with the same idempotency key cannot publish it twice
   */
  publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published>;

  /** Resolves once every later publication of the channel reaches the listener. */
  subscribe(channel: ChannelName): Promise<void>;

  /** This node has no subscriber left. */
  unsubscribe(channel: ChannelName): void;

  /** @throws GatehouseError SERVER_BUSY when the broker cannot be reached */
  history(channel: ChannelName, query: HistoryQuery): Promise<History>;

  close(): Promise<void>;
}
