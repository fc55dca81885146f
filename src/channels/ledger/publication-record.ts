import type { Position } from '../../cluster/ports/broker.js';
import type { DeliveryPolicy } from '../../../config/namespaces.js';
import type { ChannelPushOptions } from '../channel-push.js';

/** One thing that the subscribers of a channel were told: a publication, or that some are lost. Never what was in it. */
export class PublicationRecord {
  /** When this node told it, in milliseconds since 1970. */
  readonly at = Date.now();
  readonly epoch: string;
  /** The seq of the publication; the last one of a gap. */
  readonly seq: number;
  /** The first one of a gap; null: nobody knows. */
  readonly from: number | null;
  readonly isGap: boolean;
  /** When it was published. */
  readonly ts: number | undefined;
  /** The session that was not to get it. */
  readonly excluded: string | undefined;
  readonly policy: DeliveryPolicy;
  readonly expiresAt: number | undefined;
  /** Why nobody here was brought it. */
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
  }

  /** Of the seq in its own epoch. */
  speaksOf(seq: number): boolean {
    return seq <= this.seq && seq >= (this.from ?? 0);
  }
}

/** How far the subscribers of a channel on this node have been told. */
export interface Reach {
  position: Position | undefined;
}
