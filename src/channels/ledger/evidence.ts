import type { Position } from '../../cluster/ports/broker.js';
import type { LedgerDelivery } from './ledger-delivery.js';
import type { DeliveryStatus } from './delivery-status.js';
import type { PublicationRecord } from './publication-record.js';
import type { Departure, Episode, SubscriptionRecord } from './subscription-record.js';
import type { PublicationOutcome } from './publication-outcome.js';

/** What is asked for, and what is known of it. */
export interface Wanted {
  readonly seq: number;
  readonly epoch: string;
  /** When it was published; undefined: nobody who was asked knows. */
  readonly ts: number | undefined;
  /** The publication as this node told it; undefined: it is forgotten, or never came here. */
  readonly line: PublicationRecord | undefined;
  /** Whether its subscribers here were told of it, or that it is lost, as far as is remembered. */
  readonly wasTold: boolean;
  /** Whether the departures from the channel are known that happened after this. */
  readonly departuresSince: number;
  /** Where the channel stands now. */
  readonly top: Position;
}

const FORGOTTEN: PublicationOutcome = { outcome: 'unknown', reason: 'forgotten' };

/** What a frame that speaks of the publication tells: that it came, or that its loss was announced. */
export function ofDelivery({ line, outcome, at }: LedgerDelivery): PublicationOutcome {
  if (outcome === 'waiting') return { outcome, reason: 'queue' };
  if (outcome !== 'delivered') return { outcome: 'dropped', reason: outcome, at };
  if (!line.isGap) return { outcome, at };
  return { outcome: 'gap_announced', at, gap: { from: line.from, to: line.seq } };
}

/** All that the replies to the subscribes of a session tell; the happiest of it holds. */
export function ofReplies(record: SubscriptionRecord, wanted: Wanted): readonly PublicationOutcome[] {
  const replies = record.episodes.filter(({ isLive }) => isLive).flatMap((episode) => ofReply(episode, record, wanted));
  const isForgotten = isOfForgotten(record, wanted) || replies.includes(FORGOTTEN);
  // What a reply that is forgotten may have brought cannot be said to have been left out.
  return isForgotten ? [FORGOTTEN, ...replies.filter((verdict) => !isLeftOut(verdict))] : replies;
}

/** Whether a subscribe that is forgotten may have brought it. */
function isOfForgotten({ isCut, episodes: [first] }: SubscriptionRecord, wanted: Wanted): boolean {
  return isCut && first?.top !== undefined && isAtOrBefore(wanted, first.top, first.begunAt);
}

function isLeftOut({ outcome, reason }: PublicationOutcome): boolean {
  return outcome === 'dropped' && (reason === 'expired' || reason === 'excluded_or_expired');
}

/** What the reply to a subscribe tells. */
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
  // It was left out of what was missed.
  if (record.isExcludedBy(wanted.line?.excluded)) return [{ outcome: 'excluded' }];
  if (wanted.line === undefined) return [{ outcome: 'dropped', reason: 'excluded_or_expired', at: begunAt }];
  return [{ outcome: 'dropped', reason: 'expired', at: begunAt }];
}

/** What was said in a reply holds as far as the reply went. */
function replied({ outcome, at }: DeliveryStatus, verdict: PublicationOutcome): PublicationOutcome {
  if (outcome === 'waiting') return { outcome, reason: 'recovery' };
  if (outcome !== 'delivered') return { outcome: 'dropped', reason: outcome, at };
  return { ...verdict, at };
}

/** What it tells that the session was in the channel, or was not any more, when the publication was told there. */
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
  // Who is not live has no delivery of it: it waits behind the reply.
  if (wanted.wasTold && !latest.isLive) {
    return departure
      ? [{ outcome: 'dropped', reason: 'closed', at: departure.at }]
      : [{ outcome: 'waiting', reason: 'recovery' }];
  }
  const isOnItsWay = line === undefined && !departure && isBetween(wanted, record.position);
  return isOnItsWay ? [{ outcome: 'not_arrived' }] : [FORGOTTEN];
}

/** It came when the session had left the channel, or its subscribe came to nothing. */
function ofDeparture({ why, at }: Departure, reason: string = why): PublicationOutcome {
  return why === 'closed' ? { outcome: 'offline', at } : { outcome: 'not_subscribed', reason, at };
}

/** Whether the publication comes no later than a position, which was reached at a time: across epochs, only times compare. */
function isAtOrBefore({ seq, epoch, ts }: Wanted, position: Position | undefined, reachedAt: number): boolean {
  if (position?.epoch === epoch) return seq <= position.seq;
  return ts !== undefined && ts <= reachedAt;
}

/** Whether it lies behind a position, and not beyond where the channel stands: of other lives than the present one, nobody knows that. */
function isBetween({ seq, epoch, top }: Wanted, position: Position | undefined): boolean {
  return position?.epoch === epoch && top.epoch === epoch && seq > position.seq && seq <= top.seq;
}
