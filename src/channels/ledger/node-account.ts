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

/** Sessions of the user that one node tells of: those that came off best, and of these the latest. */
const MAX_SESSIONS = 50;
/** Subscribes that are told of one session. */
const MAX_SUBSCRIBES = 10;

/** As it travels between nodes: absent fields are left out. */
export interface Question {
  readonly channel: string;
  readonly namespace: string;
  readonly userId: string;
  readonly seq: number;
  /** Which life of the channel; absent: the newest in which the node knows the seq, or else the present one. */
  readonly epoch?: string;
  /** Where the channel stands now. */
  readonly top: Position;
  readonly ts?: number;
}

/** One stay of a session in the channel, or what is left of it. */
export interface Stay {
  /** When the last subscribe came, and where the channel stood by then. */
  readonly subscribedAt: number;
  readonly seq?: number;
  readonly since?: number;
  readonly leftAt?: number;
}

export interface SessionAccount extends PublicationOutcome {
  readonly sessionId: string;
  readonly nodeId: string;
  /** Absent where the session is forgotten, and only what it was sent is known. */
  readonly openedAt?: number;
  readonly closedAt?: number;
  readonly closeCode?: number;
  readonly subscribes: readonly Stay[];
}

/** What one node knows. */
export interface NodeAccount {
  readonly sessions: readonly SessionAccount[];
  /** When it was published, where this node knows it. */
  readonly ts?: number;
  /** What was sent is known from here on, and which sessions there were, in milliseconds since 1970. */
  readonly deliveriesSince: number;
  readonly sessionsSince: number;
}

/** What a node has to answer from. */
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

/** Undefined where the session has nothing to do with it: it was not there by then. */
function verdictOf({ deliveries, records, openedAt, closedAt }: Trail, wanted: Wanted): PublicationOutcome | undefined {
  const { ts, departuresSince } = wanted;
  if (isBeyondTop(wanted) && deliveries.length === 0) return { outcome: 'never_published' };
  const told = [...deliveries.map(ofDelivery), ...records.flatMap((record) => ofReplies(record, wanted))];
  // What was sent to it does not wait for it, though it recovers once more.
  const present = deliveries.length > 0 ? [] : records.flatMap((record) => ofPresence(record, wanted));
  const known = [...told, ...present];
  if (known.length > 0) return bestOf(known);
  if (openedAt === undefined) return undefined;
  if (ts !== undefined && (openedAt > ts || (closedAt ?? Infinity) < ts)) return undefined;
  // It may have left the channel so long ago that this is forgotten.
  return departuresSince > openedAt ? { outcome: 'unknown', reason: 'forgotten' } : { outcome: 'not_subscribed' };
}

/** Where somebody knows when it was published, the channel has lost it, or has gone on since it was asked. */
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
