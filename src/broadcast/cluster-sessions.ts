import { Injectable } from '@nestjs/common';
import { ChannelHub } from '../channels/channel-hub.js';
import { NodeBus, sumOf } from '../cluster/ports/node-bus.js';
import { NodeRegistry } from '../cluster/ports/node-registry.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';
import { detailOf, summaryOf, type SessionDetail, type SessionSummary } from './session-summary.js';

/** Which sessions to list. Several conditions must all be true. */
export interface SessionQuery {
  /** Only sessions of this user. */
  readonly userId?: string | undefined;
  /** Only sessions whose user id or session id begins with this text. */
  readonly prefix?: string | undefined;
  /** Only sessions of this client address. */
  readonly address?: string | undefined;
  /** Default 100, at most 1,000. */
  readonly limit?: number | undefined;
  /** Only sessions whose id comes after this one: the last id of the previous page. */
  readonly afterId?: string | undefined;
}

/** A page of the sessions of all nodes. */
export interface SessionPage {
  /** Sorted by id. */
  readonly sessions: readonly SessionSummary[];
  /** Nodes that did not answer. Their sessions are not listed. */
  readonly missing: readonly string[];
}

const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;
const LIST = 'list-sessions';
const SHOW = 'show-session';

/** The sessions of all nodes, for operators. A node that does not answer within two seconds is left out. */
@Injectable()
export class ClusterSessions {
  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly sessions: SessionRegistry,
    private readonly hub: ChannelHub,
  ) {
    bus.handle(LIST, (payload) => this.listHere(payload as SessionQuery));
    bus.handle(SHOW, (payload) => this.detailHere(payload as string) ?? null);
    bus.handle('count-sessions', () => this.sessions.size);
  }

  /** Sorted by id. */
  async list(query: SessionQuery = {}): Promise<readonly SessionSummary[]> {
    return (await this.page(query)).sessions;
  }

  /** Like `list`, and says which nodes did not answer. */
  async page(query: SessionQuery = {}): Promise<SessionPage> {
    const limit = limitOf(query);
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const question = { ...Object.fromEntries(given), limit };
    const { received, missing } = await this.bus.ask<readonly SessionSummary[]>(LIST, question);
    const found = [...this.listHere(query), ...[...received.values()].flat()];
    return { sessions: found.sort(byId).slice(0, limit), missing };
  }

  /** One session, wherever it is. `session` is undefined if no node that answered has it. */
  async show(
    id: string,
  ): Promise<{ readonly session: SessionDetail | undefined; readonly missing: readonly string[] }> {
    const here = this.detailHere(id);
    if (here) return { session: here, missing: [] };
    const { received, missing } = await this.bus.ask<SessionDetail | null>(SHOW, id);
    return { session: [...received.values()].find((session) => session !== null) ?? undefined, missing };
  }

  async count(): Promise<number> {
    return this.sessions.size + sumOf(await this.bus.ask<number>('count-sessions', null));
  }

  private listHere(query: SessionQuery): readonly SessionSummary[] {
    const { afterId = '' } = query;
    const { nodeId } = this.registry.self;
    const found = firstAfter(this.candidates(query), conditionOf(query), { afterId, limit: limitOf(query) });
    return found.map((session) => summaryOf(session, nodeId, this.hub));
  }

  private detailHere(id: string): SessionDetail | undefined {
    const session = this.sessions.get(id);
    return session && detailOf(session, this.registry.self.nodeId, this.hub);
  }

  /** As few as an index can tell. */
  private candidates({ userId, address }: SessionQuery): Iterable<Session> {
    if (userId !== undefined) return this.sessions.ofUser(userId);
    return address === undefined ? this.sessions : this.sessions.ofAddress(address);
  }
}

type Condition = (session: Session) => boolean;

function conditionOf({ prefix, address }: SessionQuery): Condition {
  return (session) => {
    if (address !== undefined && session.address !== address) return false;
    return prefix === undefined || session.id.startsWith(prefix) || isUserWith(prefix, session);
  };
}

/** An anonymous session has an id that nobody outside the server knows. */
function isUserWith(prefix: string, { principal }: Session): boolean {
  return !principal.anonymous && principal.userId.startsWith(prefix);
}

function limitOf({ limit = DEFAULT_LIMIT }: SessionQuery): number {
  // One more than a page tells whether there is a next one.
  return Math.max(0, Math.min(Math.trunc(limit) || 0, MAX_LIMIT + 1));
}

interface Part {
  readonly afterId: string;
  readonly limit: number;
}

/** Sorts twice the limit at a time: all sessions of a large node at once would block the event loop. */
function firstAfter(sessions: Iterable<Session>, isMeant: Condition, { afterId, limit }: Part): readonly Session[] {
  let first: Session[] = [];
  let last: string | undefined;
  for (const session of sessions) {
    if (session.id <= afterId || (last !== undefined && session.id >= last) || !isMeant(session)) continue;
    first.push(session);
    if (first.length < 2 * limit) continue;
    first = first.sort(bySessionId).slice(0, limit);
    last = first.at(-1)?.id;
  }
  return first.sort(bySessionId).slice(0, limit);
}

function byId(left: SessionSummary, right: SessionSummary): number {
  return left.sessionId < right.sessionId ? -1 : 1;
}

function bySessionId(left: Session, right: Session): number {
  return left.id < right.id ? -1 : 1;
}
