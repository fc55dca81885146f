import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { TappedQueue } from '../../src/socket/tapped-queue.js';
import { MAX_WATCHES, TapWatches } from '../../src/observability/tap/tap-watches.js';
import { Taps } from '../../src/observability/tap/taps.js';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';
import { connectWith, WIRES } from '../support/wires.js';

const ADMIN = { sub: 'chief', roles: ['ADMIN'] };

interface Line {
  readonly direction: string;
  readonly type: string;
  readonly outcome: string;
  readonly payload?: string;
  readonly leftOut?: number;
}

let server: TestServer;
beforeAll(async () => void (server = await startTestServer({ AUTH_MODE: 'optional' })));
afterAll(() => server.close());

async function tap(at: TestServer, what: object): Promise<TestClient> {
  const operator = await connect(at.url, { claims: ADMIN });
  expect(await operator.request('tap.start', what)).toMatchObject({ type: 'tap.start_reply' });
  return operator;
}

async function nextLine(operator: TestClient): Promise<Line> {
  const message = await operator.next();
  expect(message.type).toBe('tap.line');
  return message.data as Line;
}

/** Lines up to the first that is meant. */
async function linesUntil(operator: TestClient, isLast: (line: Line) => boolean): Promise<Line[]> {
  const lines: Line[] = [];
  do lines.push(await nextLine(operator));
  while (!isLast(lines.at(-1) ?? expect.fail()));
  return lines;
}

async function idOf(client: TestClient): Promise<string> {
  return ((await client.request('hello')).data as { sessionId: string }).sessionId;
}

describe('a tap', () => {
  afterEach(() => eventually('no tap is left', () => server.app.get(Taps, { strict: false }).size === 0));

  it('of a user shows what each session sends, what it is answered, what it gets, and when it comes and goes', async () => {
    await using operator = await tap(server, { userId: 'alice' });
    await using alice = await connect(server.url, { claims: { sub: 'alice' } });
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    const sessionId = await idOf(alice);
    await bob.request('hello');
    await alice.request('subscribe', { channel: 'feed:tapped' });
    await alice.request('nonsense');
    await api(server, 'POST /api/publish', { body: { channel: 'feed:tapped', data: { text: 'hi' } } });
    await alice.next();
    alice.socket.close();
    const who = { session: sessionId, user: 'alice', node: 'test-node' };
    const lines = await linesUntil(operator, ({ type }) => type === 'closed');
    for (const line of lines) expect(line).toMatchObject(who);
    const seen = lines.map(({ direction, type, outcome }) => `${direction} ${type} ${outcome}`);
    expect(seen.sort()).toEqual([
      'event closed 1005',
      'event opened ok',
      'in hello ok',
      'in nonsense UNKNOWN_MESSAGE_TYPE',
      'in subscribe ok',
      'out error UNKNOWN_MESSAGE_TYPE sent',
      'out hello_reply sent',
      'out message sent',
      'out subscribe_reply sent',
    ]);
    const published = { channel: 'feed:tapped', seq: 1, bytes: expect.any(Number) as number };
    expect(lines.find(({ type }) => type === 'message')).toMatchObject(published);
    expect(lines.find(({ type }) => type === 'subscribe')).toMatchObject({ ms: expect.any(Number) as number });
    expect(JSON.stringify(lines)).not.toContain('text');
  });

  it.each(WIRES)('of a session works whatever it speaks, and does not show others: $subprotocol', async (wire) => {
    await using client = await connectWith(wire, server.url, { claims: { sub: 'alice' } });
    const { sessionId } = (await client.request('hello', undefined, 1)).data as { sessionId: string };
    await using operator = await tap(server, { sessionId, payload: true });
    await using other = await connect(server.url, { claims: { sub: 'alice' } });
    await other.request('echo', 1);
    await client.request('echo', { text: 'x'.repeat(100) }, 2);
    const lines = await linesUntil(operator, ({ direction, type }) => direction === 'in' && type === 'echo');
    const payload = JSON.stringify({ text: 'x'.repeat(100) });
    expect(lines).toMatchObject([
      { direction: 'out', type: 'echo_reply', payload },
      { direction: 'in', type: 'echo', payload },
    ]);
  });

  it('of a channel shows requests about it, and each delivery once with the number of sessions', async () => {
    const readers = await Promise.all([1, 2, 3].map(() => connect(server.url, { claims: { sub: 'reader' } })));
    for (const reader of readers) await reader.request('subscribe', { channel: 'feed:counted' });
    await using operator = await tap(server, { channel: 'feed:counted' });
    await api(server, 'POST /api/publish', { body: { channel: 'feed:other', data: 1 } });
    await api(server, 'POST /api/publish', { body: { channel: 'feed:counted', data: 1 } });
    expect(await nextLine(operator)).toMatchObject({ direction: 'out', type: 'message', sessions: 3, outcome: 'sent' });
    await readers[0]?.request('history', { channel: 'feed:counted' });
    await readers[0]?.next();
    const about = await linesUntil(operator, ({ direction }) => direction === 'in');
    expect(about.at(-1)).toMatchObject({ type: 'history', user: 'reader', channel: 'feed:counted' });
    await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()));
  });

  it('of a type shows it in both directions, and names no user for a guest', async () => {
    await using operator = await tap(server, { type: 'echo' });
    await using guest = await connect(server.url, { claims: false });
    await guest.request('ping');
    await guest.request('echo', 1);
    const line = await nextLine(operator);
    expect(line).toMatchObject({ direction: 'in', type: 'echo', session: expect.any(String) as string });
    expect(line).not.toHaveProperty('user');
  });

  it('shows payloads only if asked, and never a token, a secret or what was encrypted', async () => {
    await using alice = await connect(server.url, { claims: { sub: 'eve' } });
    await using operator = await tap(server, { userId: 'eve', payload: true });
    const token = mintToken({ sub: 'eve' });
    const several = { tokens: ['abc', 'hidden-1'], secret: { one: 'abc', two: 'hidden-2' } };
    await alice.request('echo', { token: 'abc', nested: { Password: 'p"w', kept: token }, ...several });
    await alice.request('auth_refresh', { token });
    const lines = await linesUntil(operator, ({ direction, type }) => direction === 'in' && type === 'auth_refresh');
    const all = JSON.stringify(lines);
    expect(all).not.toContain(token);
    expect(all).not.toContain('abc');
    expect(all).not.toContain('hidden');
    expect(all).not.toContain('p\\"w');
    expect(lines.find(({ type, direction }) => type === 'auth_refresh' && direction === 'in')?.payload).toBe(
      '(secret)',
    );
    expect(lines.find(({ type }) => type === 'echo')?.payload).toContain('"kept":"(token)"');
  });

  it('shows no channel that cannot be one: a client may put anything there', async () => {
    await using client = await connect(server.url, { claims: { sub: 'odd' } });
    await using operator = await tap(server, { userId: 'odd' });
    for (const channel of ['x'.repeat(256), mintToken(), 'room:\u202eevil']) await client.request('echo', { channel });
    await client.request('echo', { channel: 'room:real' });
    const isReal = (line: Line): boolean => 'channel' in line;
    const lines = await linesUntil(operator, isReal);
    expect(lines.at(-1)).toMatchObject({ direction: 'in', channel: 'room:real' });
    expect(lines.filter(({ direction }) => direction === 'in')).toHaveLength(4);
  });

  it('sends at most 50 lines a second, and says how many it left out', async () => {
    await using client = await connect(server.url, { claims: { sub: 'flooder' } });
    await using operator = await tap(server, { userId: 'flooder' });
    let sent = 500;
    for (let n = 0; n < sent; n += 1) client.send({ type: 'echo', id: n, data: n });
    for (let n = 0; n < sent; n += 1) await client.next();
    const leftOut = (): number => operator.unread.reduce((sum, { data }) => sum + ((data as Line).leftOut ?? 0), 0);
    // One line for a message, one for its answer; the last few are still on their way.
    await eventually('the lines that came, and those that they say were left out, are all', async () => {
      await client.request('echo');
      sent += 1;
      return leftOut() + operator.unread.length >= 2 * sent - 10;
    });
    expect(operator.unread.length).toBeLessThan(leftOut());
    const scrape = await Scrape.of(server);
    expect(scrape.value('gatehouse_tap_lines_total{outcome="left_out"}')).toBeGreaterThan(0);
    expect(scrape.value('gatehouse_taps')).toBeGreaterThan(0);
  });

  it('is refused without the role ADMIN, and without exactly one subject', async () => {
    await using service = await connect(server.url, { claims: { sub: 'backend', roles: ['SERVICE', 'VIEWER'] } });
    expect(await service.request('tap.start', { userId: 'alice' })).toMatchObject({ code: 'FORBIDDEN' });
    await using operator = await connect(server.url, { claims: ADMIN });
    for (const what of [{}, { userId: 'alice', type: 'echo' }, { userId: '' }, { type: 'a b' }]) {
      expect(await operator.request('tap.start', what)).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    expect(await operator.request('tap.stop')).toMatchObject({ data: { wasActive: false } });
  });

  it('ends when it is stopped, replaced, or its session ends, and nothing listens any more', async () => {
    const registry = server.app.get(SessionRegistry, { strict: false });
    await using alice = await connect(server.url, { claims: { sub: 'tapped' } });
    const connection = registry.get(await idOf(alice))?.connection ?? expect.fail();
    const counts = (): unknown => ['sent', 'opened', 'closed'].map((event) => registry.events.listenerCount(event));
    const before = counts();
    const operator = await tap(server, { userId: 'tapped' });
    expect(connection.outbound).toBeInstanceOf(TappedQueue);
    await operator.request('tap.start', { userId: 'nobody' });
    expect(connection.outbound).not.toBeInstanceOf(TappedQueue);
    await operator.request('tap.start', { userId: 'tapped' });
    expect(await operator.request('tap.stop')).toMatchObject({ data: { wasActive: true } });
    expect([counts(), connection.outbound instanceof TappedQueue]).toEqual([before, false]);
    await operator.request('tap.start', { userId: 'tapped' });
    await operator[Symbol.asyncDispose]();
    await eventually('the tap has ended', () => !(connection.outbound instanceof TappedQueue));
    expect(counts()).toEqual(before);
    expect((await alice.request('echo', 1)).data).toBe(1);
  });

  it('ends after ten minutes, and when its session loses the role', async () => {
    await using operator = await tap(server, { userId: 'nobody' });
    server.app.get(Taps, { strict: false }).tick(Date.now() + 600_000);
    expect(await operator.next()).toMatchObject({ type: 'tap.end', data: { reason: 'time' } });
    await using lesser = await connect(server.url, { claims: { sub: 'lesser', roles: ['ADMIN'], iat: 1 } });
    await lesser.request('tap.start', { userId: 'nobody' });
    const token = mintToken(ADMIN);
    await api(server, 'PUT /api/users/lesser/rights', { token, body: { roles: [] } });
    expect(await lesser.next()).toMatchObject({ type: 'tap.end', data: { reason: 'rights' } });
  });

  it('is refused where the node has ten already', async () => {
    const operators = await Promise.all(Array.from({ length: 10 }, () => connect(server.url, { claims: ADMIN })));
    const replies: Message[] = [];
    for (const operator of operators) replies.push(await operator.request('tap.start', { userId: 'nobody' }));
    expect(new Set(replies.map(({ type }) => type))).toEqual(new Set(['tap.start_reply']));
    await using late = await connect(server.url, { claims: ADMIN });
    expect(await late.request('tap.start', { userId: 'nobody' })).toMatchObject({ code: 'SERVER_BUSY' });
    await Promise.all(operators.map((operator) => operator[Symbol.asyncDispose]()));
  });

  it('is in the audit log, with payloads under a name of its own', async () => {
    await using operator = await tap(server, { userId: 'audited' });
    await operator.request('tap.start', { channel: 'feed:audited', payload: true });
    await operator.request('tap.stop');
    const calls = server.auditLines.filter(({ event }) => event === 'api_call').slice(-4);
    const by = { who: 'chief', outcome: 'done' };
    expect(calls).toMatchObject([
      { ...by, action: 'tap', target: 'userId audited' },
      { ...by, action: 'tap-end', target: 'userId audited' },
      { ...by, action: 'tap-with-payloads', target: 'channel feed:audited' },
      { ...by, action: 'tap-end' },
    ]);
  });
});

describe('a tap over several nodes', { tags: ['redis'] }, () => {
  it('shows what happens on another node, and a node stops watching for an operator who is gone', async () => {
    await using nodes = await TestNodes.start(['node-1', 'node-2']);
    await using alice = await connect(nodes.at(1).url, { claims: { sub: 'alice' } });
    await using operator = await connect(nodes.at(0).url, { claims: ADMIN });
    const { data } = await operator.request('tap.start', { userId: 'alice' });
    expect(data).toMatchObject({ nodes: ['node-1', 'node-2'], missing: [] });
    await alice.request('echo', 1);
    const lines = await linesUntil(operator, ({ direction }) => direction === 'in');
    expect(lines.at(-1)).toMatchObject({ node: 'node-2', type: 'echo', user: 'alice' });
    const there = nodes.get(1, TapWatches);
    there.sweep(performance.now() + 10_000);
    expect(there.size).toBe(1);
    there.sweep(performance.now() + 60_000);
    expect(there.size).toBe(0);
    nodes.get(0, Taps).tick(Date.now());
    await eventually('the node watches again', () => there.size === 1);
    await operator.request('tap.stop');
    await eventually('the node watches no more', () => there.size === 0);
  });

  it('names a node that watches for too many', async () => {
    await using nodes = await TestNodes.start(['node-1', 'node-2']);
    const there = nodes.get(1, TapWatches);
    for (let n = 0; n < MAX_WATCHES; n += 1) {
      there.begin({ tapId: `other ${n}`, home: 'node-9', filter: { userId: 'nobody' }, showsPayload: false });
    }
    await using operator = await connect(nodes.at(0).url, { claims: ADMIN });
    const { data } = await operator.request('tap.start', { userId: 'alice' });
    expect(data).toMatchObject({ nodes: ['node-1'], missing: ['node-2'] });
  });
});
