import type { Position } from '../../cluster/ports/broker.js';
import type { LedgerDelivery } from './ledger-delivery.js';
import type { DeliveryStatus } from './delivery-status.js';
import type { PublicationRecord } from './publication-record.js';
import type { Departure, Episode, SubscriptionRecord } from './subscription-record.js';
import type { PublicationOutcome } from './publication-outcome.js';

/** The question, and what is known. */
export interface Wanted {
  readonly seq: number;
  readonly epoch: string;
  /** Time of the publication; undefined if no node that answered knows it. */
  readonly ts: number | undefined;
  /** The publication on this node; undefined if it is forgotten, or never arrived. */
  readonly line: PublicationRecord | undefined;
  /** Whether the ledger still covers the time at which subscribers here got it, or the notice of its loss. */
  readonly wasTold: boolean;
  /** Whether all departures from the channel after this time are known. */
  readonly departuresSince: number;
  /** The current position of the channel. */
  readonly top: Position;
}

const FORGOTTEN: PublicationOutcome = { outcome: 'unknown', reason: 'forgotten' };

/** What a frame about the publication proves: that it arrived, or that its loss was announced. */
export function ofDelivery({ line, outcome, at }: LedgerDelivery): PublicationOutcome {
  if (outcome === 'waiting') return { outcome, reason: 'queue' };
  if (outcome !== 'delivered') return { outcome: 'dropped', reason: outcome, at };
  if (!line.isGap) return { outcome, at };
  return { outcome: 'gap_announced', at, gap: { from: line.from, to: line.seq } };
}

/** What the replies to the subscribes of a session prove. The best outcome counts. */
export function ofReplies(record: SubscriptionRecord, wanted: Wanted): readonly PublicationOutcome[] {
  const replies = record.episodes.filter(({ isLive }) => isLive).flatMap((episode) => ofReply(episode, record, wanted));
  const isForgotten = isOfForgotten(record, wanted) || replies.includes(FORGOTTEN);
  // A forgotten reply may have contained it.
  return isForgotten ? [FORGOTTEN, ...replies.filter((verdict) => !isLeftOut(verdict))] : replies;
}

/** Whether a forgotten subscribe may have delivered it. */
function isOfForgotten({ isCut, episodes: [first] }: SubscriptionRecord, wanted: Wanted): boolean {
  return isCut && first?.top !== undefined && isAtOrBefore(wanted, first.top, first.begunAt);
}

function isLeftOut({ outcome, reason }: PublicationOutcome): boolean {
  return outcome === 'dropped' && (reason === 'expired' || reason === 'excluded_or_expired');
}

/** What the reply to a subscribe proves. */
function ofReply(episode: Episode, record: SubscriptionRecord, wanted: Wanted): readonly PublicationOutcome[] {
  const { since, top, gap, begunAt } = episode;
  if (top === undefined || !isAtOrBefore(wanted, top, begunAt)) return [];
  if (since === undefined) {
    const isFirst = episode === record.episodes[0] && !record.isCut;
    if (!isFirst || wanted.departuresSince > record.openedAt) return [FORGOTTEN];
    return [{ outcome: 'before_subscribe', at: begunAt }];
  }
  if (wanted.epoch === since.epoch && wanted.seq <= since.seq) return [{ outcome: 'claimed', at: begunAt }];
  if (wanted.epoch !== top.epoch) return [];
  if (episode.brought(wanted.seq)) return [replied(episode, { outcome: 'recovered' })];
  const isLost = gap !== undefined && wanted.seq <= gap.to && wanted.seq >= (gap.from ?? 0);
  if (isLost) return [replied(episode, { outcome: 'gap_announced', gap })];
  if (episode.isBlurred) return [FORGOTTEN];
  // It was left out of the missed publications.
  if (record.isExcludedBy(wanted.line?.excluded)) return [{ outcome: 'excluded' }];
  if (wanted.line === undefined) return [{ outcome: 'dropped', reason: 'excluded_or_expired', at: begunAt }];
  return [{ outcome: 'dropped', reason: 'expired', at: begunAt }];
}

/** An outcome from a reply depends on what became of the reply. */
function replied({ outcome, at }: DeliveryStatus, verdict: PublicationOutcome): PublicationOutcome {
  if (outcome === 'waiting') return { outcome, reason: 'recovery' };
  if (outcome !== 'delivered') return { outcome: 'dropped', reason: outcome, at };
  return { ...verdict, at };
}

/** What is known of whether the session was in the channel when the publication was sent there. */
export function ofPresence(record: SubscriptionRecord, wanted: Wanted): readonly PublicationOutcome[] {
  const { departure, episodes, latest } = record;
  const { line } = wanted;
  const [first] = episodes;
  if (first === undefined || latest === undefined) return [];
  if (first.top === undefined)
    return [departure ? ofDeparture(departure, 'failed') : { outcome: 'waiting', reason: 'recovery' }];
  if (isAtOrBefore(wanted, first.top, first.begunAt)) return [];
  if (departure && !isAtOrBefore(wanted, departure.position, departure.at)) {
    return [ofDeparture(departure)];
  }
  if (line !== undefined && record.isExcludedBy(line.excluded)) return [{ outcome: 'excluded' }];
  if (line?.lostBy !== undefined) return [{ outcome: 'dropped', reason: line.lostBy, at: line.at }];
  // A session that is not live gets nothing yet: the publication waits behind the reply.
  if (wanted.wasTold && !latest.isLive) {
    return departure
      ? [{ outcome: 'dropped', reason: 'closed', at: departure.at }]
      : [{ outcome: 'waiting', reason: 'recovery' }];
  }
  const isOnItsWay = line === undefined && !departure && isBetween(wanted, record.position);
  return isOnItsWay ? [{ outcome: 'not_arrived' }] : [FORGOTTEN];
}

/** It arrived after the session had left the channel, or its subscribe failed. */
function ofDeparture({ why, at }: Departure, reason: string = why): PublicationOutcome {
  return why === 'closed' ? { outcome: 'offline', at } : { outcome: 'not_subscribed', reason, at };
}

/**
 * Whether the publication is at or before a position that was reached at a time. Between epochs, only times can be
 * compared.
 */
function isAtOrBefore({ seq, epoch, ts }: Wanted, position: Position | undefined, reachedAt: number): boolean {
  if (position?.epoch === epoch) return seq <= position.seq;
  return ts !== undefined && ts <= reachedAt;
}

/**
 * Whether it is after a position and not after the channel's current position. Unknown for other epochs than the
 * current one.
 */
function isBetween({ seq, epoch, top }: Wanted, position: Position | undefined): boolean {
  return position?.epoch === epoch && top.epoch === epoch && seq > position.seq && seq <= top.seq;
}
