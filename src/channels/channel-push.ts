import type { History, Publication } from '../cluster/ports/broker.js';
import type { OutboundMessage } from '@gatehouse/protocol';
import { Multicast } from '../sessions/multicast.js';
import type { Session } from '../sessions/session.js';
import type { Shedding } from '../socket/held-frames.js';
import type { Gap } from './recovery/gap.js';

/** Where a push stands in its channel. */
interface Place {
  readonly epoch: string;
  /** The last seq that it speaks of; zero in a channel without history. */
  readonly seq: number;
  /** The epochs before that this one goes on from. */
  readonly continues?: History['continues'];
}

export interface ChannelPushOptions extends Place {
  readonly message: OutboundMessage;
  readonly shedding?: Shedding;
  /** Of a publication. */
  readonly publication?: Publication;
  /** The user that it is about. */
  readonly subject?: string | undefined;
  /** Of the announcement that publications are lost. */
  readonly gap?: Gap;
}

/** What the subscribers of a channel are told, in order: a publication, or that some are lost. Encoded once for all. */
export class ChannelPush extends Multicast {
  readonly epoch: string;
  readonly seq: number;
  readonly continues: History['continues'];
  readonly gap: Gap | undefined;
  /** The session that is not to get it. */
  readonly excluded: string | undefined;
  /** The user that is not to get it. */
  readonly subject: string | undefined;
  private readonly expiresAt: number;

  constructor({ epoch, seq, continues, message, shedding, publication, subject, gap }: ChannelPushOptions) {
    super(message, shedding);
    this.epoch = epoch;
    this.seq = seq;
    this.continues = continues;
    this.gap = gap;
    this.excluded = publication?.excludeSession;
    this.subject = subject;
    this.expiresAt = publication?.expiresAt ?? Infinity;
  }

  /** Whether it is of no use any more, at `now` in milliseconds since 1970. */
  hasExpired(now: number): boolean {
    return this.expiresAt <= now;
  }

  /** It is brought to nobody, or not to one session. For notices that keep account. */
  lost(_reason: 'expired' | 'unreadable', _session?: Session): void {}
}

export function gapMessage(channel: string, epoch: string, gap: Gap): OutboundMessage {
  return { type: 'gap', channel, epoch, data: gap };
}
