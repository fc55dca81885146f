import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { SessionRegistry } from '../../sessions/session-registry.js';
import type { Session, SessionId } from '../../sessions/session.js';
import { ConnectedEdges, type EdgeEntry, type EdgeQuery } from '../connected-edges.js';
import type { EdgeReport } from '../edge-report.js';

/** Edges that a node remembers. One that is not connected makes room for a new one. */
const MAX_EDGES = 10_000;
/** How long an edge is remembered that is not connected. */
const KEPT_MS = 86_400_000;

/** What this node knows of an edge, and its open sessions. */
interface Known extends Omit<EdgeEntry, 'edge' | 'isConnected' | 'connections'> {
  readonly sessions: ReadonlySet<SessionId>;
}

export interface EdgeBounds {
  readonly maxEdges?: number;
  readonly now?: () => number;
}

/** The last report of each edge that is connected to this node, or was lately. */
export class ReportedEdges extends ConnectedEdges {
  /** Those that were heard last are last. */
  private readonly known = new Map<string, Known>();
  private open = 0;
  private readonly maxEdges: number;
  private readonly now: () => number;

  constructor(
    private readonly registry: Pick<SessionRegistry, 'events' | 'get'>,
    { maxEdges = MAX_EDGES, now = Date.now }: EdgeBounds = {},
  ) {
    super();
    this.maxEdges = maxEdges;
    this.now = now;
    registry.events.on('closed', (session) => this.left(session));
  }

  get connected(): number {
    return this.open;
  }

  /** @throws GatehouseError SERVER_BUSY if too many other edges are connected */
  report(session: Session, report: EdgeReport): void {
    const { id, userId, address } = session;
    // It may have closed while its report waited.
    if (this.registry.get(id) !== session) return;
    const before = this.known.get(userId);
    if (before === undefined && !this.makesRoom()) throw new GatehouseError('SERVER_BUSY');
    const now = this.now();
    const sessions = new Set([...(before?.sessions ?? []), id]);
    const wasConnected = before !== undefined && before.sessions.size > 0;
    if (!wasConnected) this.open += 1;
    const since = wasConnected ? before.since : session.openedAt;
    this.put(userId, { since, seenAt: now, sessionId: id, address, report, sessions });
  }

  list({ after = '', limit }: EdgeQuery): readonly EdgeEntry[] {
    this.forgetOld();
    const names = [...this.known.keys()].filter((name) => name > after).toSorted();
    return names.slice(0, limit).flatMap((edge) => {
      const known = this.known.get(edge);
      if (known === undefined) return [];
      const { sessions, ...rest } = known;
      return [{ edge, isConnected: sessions.size > 0, connections: sessions.size, ...rest }];
    });
  }

  private left({ id, userId }: Session): void {
    const before = this.known.get(userId);
    if (before === undefined || !before.sessions.has(id)) return;
    const sessions = new Set([...before.sessions].filter((each) => each !== id));
    const isAway = sessions.size === 0;
    if (isAway) this.open -= 1;
    const now = this.now();
    const sessionId = [...sessions].at(-1) ?? before.sessionId;
    this.put(userId, { ...before, sessions, sessionId, since: isAway ? now : before.since, seenAt: now });
  }

  private put(edge: string, known: Known): void {
    this.known.delete(edge);
    this.known.set(edge, known);
  }

  private makesRoom(): boolean {
    if (this.known.size < this.maxEdges) return true;
    this.forgetOld();
    if (this.known.size < this.maxEdges) return true;
    for (const [edge, { sessions }] of this.known) {
      if (sessions.size === 0) return this.known.delete(edge);
    }
    return false;
  }

  private forgetOld(): void {
    const oldest = this.now() - KEPT_MS;
    for (const [edge, { sessions, seenAt }] of this.known) {
      if (seenAt > oldest) return;
      if (sessions.size === 0) this.known.delete(edge);
    }
  }
}
