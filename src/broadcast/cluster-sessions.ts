import { Injectable } from '@nestjs/common';
import { NodeBus, sumOf } from '../cluster/ports/node-bus.js';
import { NodeRegistry } from '../cluster/ports/node-registry.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';

/** A session as operators see it. */
export interface SessionSummary {
  readonly sessionId: string;
  /** Null for an anonymous session. */
  readonly userId: string | null;
  readonly roles: readonly string[];
  readonly nodeId: string;
  readonly address: string;
  /** The subprotocol in use. */
  readonly protocol: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
}

/** Which sessions to list. */
export interface SessionQuery {
  /** Only sessions of this user. */
  readonly userId?: string | undefined;
  /** Default 100, at most 1,000. */
  readonly limit?: number | undefined;
  /** Only sessions whose id comes after this one: the last id of the previous page. */
  readonly afterId?: string | undefined;
}

const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;

/** The sessions of all nodes, for operators. A node that does not answer within two seconds is left out. */
@Injectable()
export class ClusterSessions {
  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly sessions: SessionRegistry,
  ) {
    bus.handle('list-sessions', (payload) => this.listHere(payload as SessionQuery));
    bus.handle('count-sessions', () => this.sessions.size);
  }

  /** Sorted by id. */
  async list(query: SessionQuery = {}): Promise<readonly SessionSummary[]> {
    const { userId, afterId } = query;
    const limit = limitOf(query);
    const question = { limit, ...(userId !== undefined && { userId }), ...(afterId !== undefined && { afterId }) };
    const { received } = await this.bus.ask<readonly SessionSummary[]>('list-sessions', question);
    return [...this.listHere(query), ...[...received.values()].flat()].sort(byId).slice(0, limit);
  }

  async count(): Promise<number> {
    return this.sessions.size + sumOf(await this.bus.ask<number>('count-sessions', null));
  }

  private listHere(query: SessionQuery): readonly SessionSummary[] {
    const { userId, afterId = '' } = query;
    const candidates = userId === undefined ? this.sessions : this.sessions.ofUser(userId);
    const { nodeId } = this.registry.self;
    return firstAfter(candidates, afterId, limitOf(query)).map((session) => summaryOf(session, nodeId));
  }
}

function limitOf({ limit = DEFAULT_LIMIT }: SessionQuery): number {
  return Math.max(0, Math.min(Math.trunc(limit) || 0, MAX_LIMIT));
}

/** Sorts twice the limit at a time: all sessions of a large node at once would block the event loop. */
function firstAfter(sessions: Iterable<Session>, afterId: string, limit: number): readonly Session[] {
  let first: Session[] = [];
  let last: string | undefined;
  for (const session of sessions) {
    if (session.id <= afterId || (last !== undefined && session.id >= last)) continue;
    first.push(session);
    if (first.length < 2 * limit) continue;
    first = first.sort(bySessionId).slice(0, limit);
    last = first.at(-1)?.id;
  }
  return first.sort(bySessionId).slice(0, limit);
}

function summaryOf(session: Session, nodeId: string): SessionSummary {
  const { id, principal, roles, address, codec, openedAt, messagesReceived, messagesSent } = session;
  const userId = principal.anonymous ? null : principal.userId;
  const protocol = codec.subprotocol;
  return { sessionId: id, userId, roles, nodeId, address, protocol, openedAt, messagesReceived, messagesSent };
}

function byId(left: SessionSummary, right: SessionSummary): number {
  return left.sessionId < right.sessionId ? -1 : 1;
}

function bySessionId(left: Session, right: Session): number {
  return left.id < right.id ? -1 : 1;
}
