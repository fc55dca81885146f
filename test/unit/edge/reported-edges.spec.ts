import { beforeEach, describe, expect, it } from 'vitest';
import { ReportedEdges } from '../../../src/edge/centre/reported-edges.js';
import type { EdgeReport } from '../../../src/edge/edge-report.js';
import { SessionEvents } from '../../../src/sessions/session-events.js';
import type { Session } from '../../../src/sessions/session.js';

const DAY_MS = 86_400_000;
const REPORT: EdgeReport = {
  release: '0.1.0',
  startedAt: 1,
  sessions: 2,
  users: 2,
  channels: 1,
  subscriptions: 2,
  queuedMessages: 0,
  queuedBytes: 0,
  store: 'ok',
  forwarded: 7,
  expired: 0,
  dropped: 0,
  refused: 0,
  damaged: 0,
};

describe('the edges that a node of the centre knows', () => {
  let now: number;
  let events: SessionEvents;
  let open: Map<string, Session>;
  let edges: ReportedEdges;

  beforeEach(() => {
    now = 1_000;
    events = new SessionEvents();
    open = new Map();
    edges = new ReportedEdges({ events, get: (id) => open.get(id) }, { maxEdges: 2, now: () => now });
  });

  function connect(userId: string, id = `session of ${userId}`): Session {
    const session = { id, userId, address: '203.0.113.7', openedAt: now } as Session;
    open.set(id, session);
    return session;
  }

  function close(session: Session): void {
    open.delete(session.id);
    events.emit('closed', session, 1006, '');
  }

  const names = (): string[] => edges.list({ limit: 9 }).map(({ edge }) => edge);

  it('says since when an edge is connected, and when it was last heard', () => {
    const session = connect('line-1');
    now = 1_500;
    edges.report(session, REPORT);
    now = 6_500;
    edges.report(session, { ...REPORT, forwarded: 8 });
    const [line] = edges.list({ limit: 9 });
    expect(line).toMatchObject({ edge: 'line-1', isConnected: true, since: 1_000, seenAt: 6_500, connections: 1 });
    expect(line?.report.forwarded).toBe(8);
    now = 9_000;
    close(session);
    expect(edges.list({ limit: 9 })).toMatchObject([
      { isConnected: false, since: 9_000, seenAt: 9_000, connections: 0 },
    ]);
    expect(edges.connected).toBe(0);
  });

  it('counts the devices that use one token, and is connected until the last of them has left', () => {
    const [one, two] = [connect('line-1', 'a'), connect('line-1', 'b')];
    edges.report(one, REPORT);
    edges.report(two, REPORT);
    expect(edges.list({ limit: 9 })).toMatchObject([{ connections: 2, sessionId: 'b' }]);
    expect(edges.connected).toBe(1);
    close(two);
    expect(edges.list({ limit: 9 })).toMatchObject([{ isConnected: true, connections: 1, sessionId: 'a' }]);
    close(one);
    expect(edges.connected).toBe(0);
  });

  it('takes no report of a session that has closed while it waited', () => {
    const session = connect('line-1');
    close(session);
    edges.report(session, REPORT);
    expect(names()).toEqual([]);
  });

  it('forgets an edge a day after it has left, and none that is connected', () => {
    const [stays, leaves] = [connect('stays'), connect('leaves')];
    edges.report(stays, REPORT);
    edges.report(leaves, REPORT);
    close(leaves);
    now += DAY_MS - 1;
    expect(names()).toEqual(['leaves', 'stays']);
    now += 1;
    expect(names()).toEqual(['stays']);
  });

  it('keeps so many: one that has left makes room, and without one a new edge gets SERVER_BUSY', () => {
    const [one, two, three] = [connect('one'), connect('two'), connect('three')];
    edges.report(one, REPORT);
    edges.report(two, REPORT);
    expect(() => edges.report(three, REPORT)).toThrow(expect.objectContaining({ code: 'SERVER_BUSY' }) as Error);
    edges.report(two, REPORT);
    expect(names()).toEqual(['one', 'two']);
    close(one);
    edges.report(three, REPORT);
    expect(names()).toEqual(['three', 'two']);
    expect(edges.connected).toBe(2);
  });

  it('lists them by name, page by page', () => {
    edges.report(connect('b'), REPORT);
    edges.report(connect('a'), REPORT);
    expect(edges.list({ limit: 1 }).map(({ edge }) => edge)).toEqual(['a']);
    expect(edges.list({ limit: 1, after: 'a' }).map(({ edge }) => edge)).toEqual(['b']);
  });
});
