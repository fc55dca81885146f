import type { Position } from '../../cluster/ports/broker.js';
import type { SessionRegistry } from '../../sessions/session-registry.js';
import type { LocalChannel } from '../local-channel.js';
import type { LedgerDelivery } from './ledger-delivery.js';
import { ofDelivery, ofPresence, ofReplies, type Wanted } from './evidence.js';
import type { Ledger } from './ledger.js';
import { LedgeredSubscription } from './ledgered-subscription.js';
import type { Ledgers } from './ledgers.js';
import type { SubscriptionRecord } from './subscription-record.js';
import { bestOf, rankOf, type PublicationOutcome } from './publication-outcome.js';

/** Sessions of the user that one node reports: those with the best outcome, and of these the latest. */
const MAX_SESSIONS = 50;
/** Subscribes that are reported for one session. */
const MAX_SUBSCRIBES = 10;

/** The form between nodes. Absent fields are omitted. */
export interface Question {
  readonly channel: string;
  readonly namespace: string;
  readonly userId: string;
  readonly seq: number;
  /** The epoch of the channel. Absent: the newest in which the node knows the seq, or else the current one. */
  readonly epoch?: string;
  /** The current position of the channel. */
  readonly top: Position;
  readonly ts?: number;
}

/** One stay of a session in the channel, or what is left of it. */
export interface Stay {
  /** Time of the last subscribe, and the position of the channel at that time. */
  readonly subscribedAt: number;
  readonly seq?: number;
  readonly since?: number;
  readonly leftAt?: number;
}

export interface SessionAccount extends PublicationOutcome {
  readonly sessionId: string;
  readonly nodeId: string;
  /** Absent if the session is forgotten and only its deliveries are known. */
  readonly openedAt?: number;
  readonly closedAt?: number;
  readonly closeCode?: number;
  readonly subscribes: readonly Stay[];
}

/** The answer of one node. */
export interface NodeAccount {
  readonly sessions: readonly SessionAccount[];
  /** Time of the publication, if this node knows it. */
  readonly ts?: number;
  /** Since when deliveries and sessions are recorded, in milliseconds since 1970. */
  readonly deliveriesSince: number;
  readonly sessionsSince: number;
}

/** The sources of a node's answer. */
export interface Grounds {
  readonly nodeId: string;
  readonly ledgers: Ledgers;
  readonly ledger: Ledger;
  readonly sessions: SessionRegistry;
  readonly local: LocalChannel | undefined;
}

/** A session of the user, and what is known of it in the channel. */
interface Trail {
  readonly openedAt?: number;
  readonly closedAt?: number;
  readonly code?: number;
  readonly deliveries: LedgerDelivery[];
  readonly records: SubscriptionRecord[];
}

/** What this node knows of a publication and a user. */
export function accountOf(question: Question, grounds: Grounds): NodeAccount {
  const { ledger, ledgers, nodeId } = grounds;
  const { seq, top } = question;
  const { lines, deliveries } = ledger.about(question);
  const line = lines.find(({ isGap, epoch: of }) => !isGap && (question.epoch === undefined || of === question.epoch));
  const ts = line?.ts ?? question.ts;
  const epoch = question.epoch ?? line?.epoch ?? top.epoch;
  const wasTold = lines.some((told) => told.epoch === epoch);
  const spoken = deliveries.filter(({ line: told }) => told.epoch === epoch);
  const departuresSince = Math.max(ledgers.startedAt, ledger.departures.completeSince);
  const wanted: Wanted = { seq, epoch, ts, line, wasTold, departuresSince, top };
  const sessions = [...trailsOf(question, spoken, grounds)].flatMap(([sessionId, trail]) => {
    const verdict = verdictOf(trail, wanted);
    return verdict === undefined ? [] : [{ ...verdict, ...factsOf(trail), sessionId, nodeId }];
  });
  const best = sessions.sort((left, right) => rankOf(left) - rankOf(right) || laterFirst(left, right));
  return {
    sessions: best.slice(0, MAX_SESSIONS),
    ...(ts !== undefined && { ts }),
    deliveriesSince: Math.max(ledgers.startedAt, ledger.entries.completeSince),
    sessionsSince: ledgers.sessionsSince,
  };
}

function trailsOf(
  { userId, channel }: Question,
  deliveries: readonly LedgerDelivery[],
  grounds: Grounds,
): ReadonlyMap<string, Trail> {
  const { ledger, ledgers, sessions, local } = grounds;
  const trails = new Map<string, Trail>();
  for (const { id, openedAt } of sessions.ofUser(userId)) trails.set(id, { openedAt, deliveries: [], records: [] });
  for (const { sessionId, ...session } of ledgers.closedSessions.filter((closed) => closed.userId === userId)) {
    trails.set(sessionId, { ...session, deliveries: [], records: [] });
  }
  const of = (sessionId: string): Trail => {
    const trail = trails.get(sessionId) ?? { deliveries: [], records: [] };
    trails.set(sessionId, trail);
    return trail;
  };
  for (const delivery of deliveries) of(delivery.sessionId).deliveries.push(delivery);
  const isTheirs = (record: SubscriptionRecord): boolean => record.userId === userId && record.channel === channel;
  for (const record of ledger.departures.filter(isTheirs)) of(record.sessionId).records.push(record);
  for (const session of sessions.ofUser(userId)) {
    const subscription = local?.subscriptions.get(session);
    if (subscription instanceof LedgeredSubscription) of(session.id).records.push(subscription.record);
  }
  return trails;
}

/** Undefined if the session is not concerned, because it was not there at the time. */
function verdictOf({ deliveries, records, openedAt, closedAt }: Trail, wanted: Wanted): PublicationOutcome | undefined {
  const { ts, departuresSince } = wanted;
  if (isBeyondTop(wanted) && deliveries.length === 0) return { outcome: 'never_published' };
  const told = [...deliveries.map(ofDelivery), ...records.flatMap((record) => ofReplies(record, wanted))];
  // A publication that was sent to it does not wait for it, even if it is recovering again.
  const present = deliveries.length > 0 ? [] : records.flatMap((record) => ofPresence(record, wanted));
  const known = [...told, ...present];
  if (known.length > 0) return bestOf(known);
  if (openedAt === undefined) return undefined;
  if (ts !== undefined && (openedAt > ts || (closedAt ?? Infinity) < ts)) return undefined;
  // It may have left the channel so long ago that this is forgotten.
  return departuresSince > openedAt ? { outcome: 'unknown', reason: 'forgotten' } : { outcome: 'not_subscribed' };
}

/** If any node knows the time of the publication, the channel has lost it, or has moved on since the question. */
function isBeyondTop({ epoch, seq, ts, top }: Wanted): boolean {
  return ts === undefined && epoch === top.epoch && seq > top.seq;
}

function factsOf({
  openedAt,
  closedAt,
  code,
  records,
}: Trail): Omit<SessionAccount, 'sessionId' | 'nodeId' | 'outcome'> {
  return {
    ...(openedAt !== undefined && { openedAt }),
    ...(closedAt !== undefined && { closedAt }),
    ...(code !== undefined && { closeCode: code }),
    subscribes: records.flatMap(staysOf).slice(-MAX_SUBSCRIBES),
  };
}

function staysOf({ episodes, departure }: SubscriptionRecord): readonly Stay[] {
  return episodes.map(({ begunAt, top, since }, index) => ({
    subscribedAt: begunAt,
    ...(top !== undefined && { seq: top.seq }),
    ...(since !== undefined && { since: since.seq }),
    ...(departure !== undefined && index === episodes.length - 1 && { leftAt: departure.at }),
  }));
}

function laterFirst({ openedAt: left = 0 }: SessionAccount, { openedAt: right = 0 }: SessionAccount): number {
  return right - left;
}
