import type { Position } from '../../cluster/ports/broker.js';
import type { DeliveryPolicy, Priority } from '../../../config/namespaces.js';
import type { ChannelPushOptions } from '../channel-push.js';

/** One push to the subscribers of a channel: a publication, or the notice of a loss. Never its content. */
export class PublicationRecord {
  /** When this node sent it, in milliseconds since 1970. */
  readonly at = Date.now();
  readonly epoch: string;
  /** The seq of the publication; for a gap the last one. */
  readonly seq: number;
  /** The first seq of a gap; null if unknown. */
  readonly from: number | null;
  readonly isGap: boolean;
  /** Time of the publication. */
  readonly ts: number | undefined;
  /** The session that must not get it. */
  readonly excluded: string | undefined;
  readonly policy: DeliveryPolicy;
  readonly expiresAt: number | undefined;
  readonly priority: Priority | undefined;
  /** Why nobody on this node got it. */
  lostBy: 'expired' | 'unreadable' | undefined;

  constructor(
    readonly channel: string,
    { epoch, seq, gap, publication, shedding }: ChannelPushOptions,
  ) {
    this.epoch = epoch;
    this.seq = seq;
    this.from = gap === undefined ? seq : gap.from;
    this.isGap = gap !== undefined;
    this.ts = publication?.ts;
    this.excluded = publication?.excludeSession;
    this.policy = shedding?.policy ?? 'disconnect';
    this.expiresAt = shedding?.expiresAt;
    this.priority = shedding?.priority;
  }

  /** Whether it is about this seq of its own epoch. */
  speaksOf(seq: number): boolean {
    return seq <= this.seq && seq >= (this.from ?? 0);
  }
}

/** How far the subscribers of a channel on this node have been served. */
export interface Reach {
  position: Position | undefined;
}
