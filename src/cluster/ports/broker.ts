import type { Publisher } from '@gatehouse/protocol';

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
  /** How the data is encrypted: then it is a token. Absent: not at all. */
  readonly enc?: string | undefined;
  readonly from: Publisher | undefined;
  /** The session that is not to get it, although it is subscribed. */
  readonly excludeSession: string | undefined;
  /** Milliseconds since 1970 after which it must not be delivered any more; undefined: never. */
  readonly expiresAt: number | undefined;
  /** The `traceparent` of what publishes it, where that is recorded. */
  readonly trace?: string | undefined;
}

/** What was published. */
export interface Publication extends Draft {
  /** Server time, milliseconds since 1970. */
  readonly ts: number;
  /** Zero in a channel without history. */
  readonly seq: number;
  /** About how much room it takes, for bounds on many. */
  readonly bytes: number;
}

export interface PublishOptions {
  /** What the channel keeps; undefined: nothing, and the publication has no position. */
  readonly history: { readonly size: number; readonly ageMs: number } | undefined;
  /** A second publish in the channel with the same key within five minutes is not made; it is answered as the first was. */
  readonly idempotencyKey: string | undefined;
  /**
   * Answered once so many replicas of the broker's store have it; zero or absent: once it is stored. Only where there is a history, and
   * without effect where the broker has no replicas to speak of, as in memory.
   */
  readonly replicas?: number;
  /** Refused where only the subscribers of this node could be reached. Else a channel without history goes on among them. */
  readonly isForAllNodes?: boolean;
}

/** What became of a publish. */
export interface Published {
  /** Undefined in a channel without history. */
  readonly position: Position | undefined;
  /** Whether the idempotency key was known, and nothing was published now. */
  readonly isRepeat: boolean;
}

/** Which part of a history is asked for. */
export interface HistoryQuery {
  /** Only what came after this seq. */
  readonly afterSeq?: number | undefined;
  /** Only what came before this seq; undefined: up to the newest. For reading backwards in slices. */
  readonly beforeSeq?: number | undefined;
  /** At most this many, the first in the order asked for; undefined: all that is kept; zero: only where it stands. */
  readonly limit?: number | undefined;
  /** No more than fit in here, but one in any case; undefined: however many. */
  readonly maxBytes?: number | undefined;
  /** Newest first. */
  readonly reverse?: boolean | undefined;
  /**
   * How far this node has seen the channel or had it acknowledged, and the epochs before, the newest first. Where the broker knows
   * less, publications were lost: that becomes a part of the channel, for everybody to be told of. Never what a client claims.
   */
  readonly reached?: readonly Position[] | undefined;
}

/** What a channel keeps, or the part of it that was asked for. */
export interface History {
  /** Where the channel stands now. */
  readonly top: Position;
  /**
   * Consecutive, ascending unless asked for in reverse. May begin later than asked: what is older is gone. Holds also
   * what has outlived its `expiresAt`.
   */
  readonly publications: readonly Publication[];
  /**
   * The epochs that this one goes on from, each with how far it is still known: who stands there, or before it, has missed
   * nothing but what is returned. `seq` goes on. Absent or empty where nothing is known of epochs before.
   */
  readonly continues?: readonly Position[] | undefined;
}

/** What a broker tells the node it serves. */
export interface BrokerListener {
  /**
   * Something was published in a channel that this node has subscribed to, and maybe a little after it has unsubscribed.
   * May come twice, out of order or not at all: the receiver holds it against `seq`. What comes by then is in the history.
   */
  published(channel: ChannelName, publication: Publication, epoch: string): void;
  /**
   * Publications may have been missed, of one channel or of any: their positions must be checked. Called once it makes
   * sense to.
   */
  interrupted(channel?: ChannelName): void;
}

/**
 * Carries publications between the nodes that have subscribers, and keeps the history of channels.
 * All implementations pass test/unit/cluster/broker-contract.
 */
export abstract class Broker {
  /**
   * How often subscribed channels are to be asked for their position, in milliseconds, for publications may be lost on
   * the way unnoticed; undefined: never.
   */
  abstract readonly checkEveryMs: number | undefined;

  /** Called before anything else. Every listener is told everything. */
  abstract listen(listener: BrokerListener): void;

  /**
   * Appends to the history and carries to every subscribed node, as one step: no two publications of a channel and
   * epoch get the same seq, and none is carried that a later `history` does not know. The data must not be changed any
   * more. Resolves when it is done; publications of one caller keep its order.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached; then nothing was published, or it is
   *   unknown whether it was. NOT_REPLICATED when it was published, and too few replicas have it in time. A retry with the same
   *   idempotency key cannot publish it twice
   */
  abstract publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published>;

  /**
   * Resolves once every later publication of the channel reaches the listener. Twice is as good as once.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached
   */
  abstract subscribe(channel: ChannelName): Promise<void>;

  /** This node has no subscriber left. */
  abstract unsubscribe(channel: ChannelName): void;

  /**
   * A channel in which nothing was published stands at seq 0 of some epoch, and asking for it leaves nothing behind. While
   * this node is subscribed, an epoch once answered does not change unless publications were lost.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached
   */
  abstract history(channel: ChannelName, query: HistoryQuery): Promise<History>;

  /** From now on the listener hears nothing, and everything else is refused with SERVER_BUSY. */
  abstract close(): Promise<void>;
}
