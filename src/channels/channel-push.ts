import type { History, Publication } from '../cluster/ports/broker.js';
import type { OutboundMessage } from '@gatehouse/protocol';
import { Multicast } from '../sessions/multicast.js';
import type { Session } from '../sessions/session.js';
import type { Shedding } from '../socket/held-frames.js';
import type { Gap } from './recovery/gap.js';

/** The position of a push in its channel. */
interface Place {
  readonly epoch: string;
  /** The last seq that the push covers; 0 in a channel without history. */
  readonly seq: number;
  /** The epochs that this one continues. */
  readonly continues?: History['continues'];
}

export interface ChannelPushOptions extends Place {
  readonly message: OutboundMessage;
  readonly shedding?: Shedding;
  /** Set for a publication. */
  readonly publication?: Publication;
  /** The user that the publication is about. */
  readonly subject?: string | undefined;
  /** Set for the announcement that publications are lost. */
  readonly gap?: Gap;
  /** Whether it stands for everything before. */
  readonly isSnapshot?: boolean;
}

/** A message to the subscribers of a channel: a publication, or the announcement of a loss. Encoded once for all. */
export class ChannelPush extends Multicast {
  readonly epoch: string;
  readonly seq: number;
  readonly continues: History['continues'];
  readonly gap: Gap | undefined;
  readonly publication: Publication | undefined;
  readonly isSnapshot: boolean;
  /** The session that must not get it. */
  readonly excluded: string | undefined;
  /** The user that must not get it. */
  readonly subject: string | undefined;
  private readonly expiresAt: number;

  constructor(options: ChannelPushOptions) {
    const { epoch, seq, continues, message, shedding, publication, subject, gap, isSnapshot = false } = options;
    super(message, shedding);
    this.publication = publication;
    this.isSnapshot = isSnapshot;
    this.epoch = epoch;
    this.seq = seq;
    this.continues = continues;
    this.gap = gap;
    this.excluded = publication?.excludeSession;
    this.subject = subject;
    this.expiresAt = publication?.expiresAt ?? Infinity;
  }

  /** Whether it has expired, at `now` in milliseconds since 1970. */
  hasExpired(now: number): boolean {
    return this.expiresAt <= now;
  }

  /** Called if it is delivered to nobody, or not to one session. Ledgers override it. */
  lost(_reason: 'expired' | 'unreadable', _session?: Session): void {}
}

export function gapMessage(channel: string, epoch: string, gap: Gap): OutboundMessage {
  return { type: 'gap', channel, epoch, data: gap };
}
