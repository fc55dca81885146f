import type { Publisher } from '@gatehouse/protocol';

declare const brand: unique symbol;
/** `namespace:name`, validated. */
export type ChannelName = string & { readonly [brand]: 'ChannelName' };

/**
 * A place in a channel's history. `seq` counts 1, 2, 3 … within an epoch. A history that was lost begins a new epoch.
 */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** A message to publish. */
export interface Draft {
  readonly data: unknown;
  /** How the data is encrypted; the data is then a token. Absent if it is not encrypted. */
  readonly enc?: string | undefined;
  readonly from: Publisher | undefined;
  /** A subscribed session that must not get it. */
  readonly excludeSession: string | undefined;
  /** Milliseconds since 1970 after which it must not be delivered. Undefined means never. */
  readonly expiresAt: number | undefined;
  /** The `traceparent` of the publisher, if it is recorded. */
  readonly trace?: string | undefined;
}

/** A published message. */
export interface Publication extends Draft {
  /** Server time, milliseconds since 1970. */
  readonly ts: number;
  /** 0 in a channel without history. */
  readonly seq: number;
  /** Approximate size, for limits on waiting publications. */
  readonly bytes: number;
  /** In a cell of a state channel: the seq of the publication before it; 0: the cell was empty. */
  readonly after?: number | undefined;
}

/**
 * The place of a publication in the outbox of an edge node. The broker keeps the highest place that it has published, for
 * each edge and channel, in the same step as the publication and without expiry.
 */
export interface OutboxMark {
  /** The edge node. */
  readonly edge: string;
  /** The run of the edge node that wrote it. Places of different runs cannot be compared. */
  readonly run: string;
  readonly seq: number;
  /**
   * The seq of the publication before it in the same request and channel; 0 if it is the first. If that one is not
   * published, this one is refused with SERVER_BUSY, so that it cannot overtake.
   */
  readonly after: number;
}

/** How many runs of an edge node a channel remembers, newest first. */
export const MARKED_RUNS = 16;

export interface PublishOptions {
  /** What the channel keeps. Undefined: nothing, and the publication has no position. */
  readonly history: { readonly size: number; readonly ageMs: number } | undefined;
  /**
   * A second publish in the channel with the same key within five minutes is not carried out and gets the first result.
   */
  readonly idempotencyKey: string | undefined;
  /** A publication at or below the mark of its edge and run is not carried out. */
  readonly mark?: OutboxMark | undefined;
  /**
   * Resolves when this many replicas of the broker's store have the publication. 0 or absent: when it is stored. Has no
   * effect without a history, or if the broker has no replicas, as in memory.
   */
  readonly replicas?: number;
  /**
   * Reject if only subscribers of this node could be reached. Otherwise a channel without history goes on among them.
   */
  readonly isForAllNodes?: boolean;
}

/** The result of a publish. */
export interface Published {
  /** Undefined in a channel without history. */
  readonly position: Position | undefined;
  /** True if the idempotency key, or the place in an outbox, was known and nothing was published now. */
  readonly isRepeat: boolean;
}

/** The part of a history to read. */
export interface HistoryQuery {
  /** Only publications after this seq. */
  readonly afterSeq?: number | undefined;
  /** Only publications before this seq, to read backwards in slices. Undefined: up to the newest. */
  readonly beforeSeq?: number | undefined;
  /** At most this many, in the requested order. Undefined: all. 0: only the position. */
  readonly limit?: number | undefined;
  /** As many as fit into this number of bytes, but at least one. Undefined: no limit. */
  readonly maxBytes?: number | undefined;
  /** Newest first. */
  readonly reverse?: boolean | undefined;
  /**
   * The positions that this node has seen or that were acknowledged to it, newest epoch first. If the broker knows
   * less, publications were lost, and the loss becomes part of the channel. Never a position that a client claims.
   */
  readonly reached?: readonly Position[] | undefined;
}

/** The history of a channel, or a part of it. */
export interface History {
  /** The current position of the channel. */
  readonly top: Position;
  /**
   * Consecutive, ascending unless `reverse` was set. May begin later than requested, if older publications are gone; a
   * copy may lack some in between. Includes publications past their `expiresAt`.
   */
  readonly publications: readonly Publication[];
  /**
   * The epochs that this one continues, each with its last known seq. A client at or before that position has missed
   * only what is returned. `seq` continues. Absent or empty if earlier epochs are unknown.
   */
  readonly continues?: readonly Position[] | undefined;
  /**
   * Set for a copy of a channel that another server keeps. A client may have seen more of the original: a position of
   * this epoch after `top` is not lost, but not here yet.
   */
  readonly mayTrail?: boolean | undefined;
}

/** What a broker reports to its node. */
export interface BrokerListener {
  /**
   * A publication in a channel to which this node is subscribed, and possibly shortly after it has unsubscribed. May
   * come twice, out of order or never; the receiver checks `seq`. By this time the history has it.
   */
  published(channel: ChannelName, publication: Publication, epoch: string): void;
  /**
   * Publications of one channel, or of all channels, may have been missed: check the positions. Emitted only when the
   * broker can be asked.
   */
  interrupted(channel?: ChannelName): void;
}

/** Finds out which channels have moved on. */
export interface PositionChecks {
  /** How often each subscribed channel with history must be checked, in milliseconds. */
  readonly everyMs: number;
  /** Returns the channels that are not at these positions. Those that the broker cannot tell are not among them. */
  moved(positions: ReadonlyMap<ChannelName, Position>): Promise<readonly ChannelName[]>;
}

/**
 * Carries publications between the nodes with subscribers, and keeps the histories of channels. All implementations
 * pass test/unit/cluster/broker-contract.
 */
export abstract class Broker {
  /** Set if publications may be lost unnoticed: the positions of subscribed channels must be checked. */
  abstract readonly checks: PositionChecks | undefined;

  /** Must be called before anything else. Every listener gets every event. */
  abstract listen(listener: BrokerListener): void;

  /**
   * Appends to the history and sends to every subscribed node, as one step. No two publications of a channel and epoch
   * get the same seq, and none is sent that a later `history` does not have. The data must not be changed afterwards.
   * Publications of one caller keep their order.
   *
   * @throws GatehouseError SERVER_BUSY if the broker cannot be reached: nothing was published, or it is unknown
   *   whether it was. NOT_REPLICATED if it was published but too few replicas have it in time. A retry with the same
   *   idempotency key cannot publish twice
   */
  abstract publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published>;

  /**
   * Resolves when every later publication of the channel will reach the listener. May be repeated.
   *
   * @throws GatehouseError SERVER_BUSY if the broker cannot be reached
   */
  abstract subscribe(channel: ChannelName): Promise<void>;

  /** This node has no subscriber left. */
  abstract unsubscribe(channel: ChannelName): void;

  /**
   * Reads the position and publications of a channel. A channel without publications is at seq 0 of some epoch, and
   * reading it leaves nothing behind. While this node is subscribed, an epoch does not change unless publications were
   * lost.
   *
   * @throws GatehouseError SERVER_BUSY if the broker cannot be reached
   */
  abstract history(channel: ChannelName, query: HistoryQuery): Promise<History>;

  /** Afterwards the listener hears nothing, and everything else is rejected with SERVER_BUSY. */
  abstract close(): Promise<void>;
}
