import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { connectWith, WIRES, type WireClient } from '../support/wires.js';

/** A starved server would take long enough for tokens to come back. */
let clock: StoppedClock;
beforeEach(() => void (clock = new StoppedClock()));
afterEach(() => clock[Symbol.dispose]());

/** Sends so many echoes at once and awaits all their answers. */
async function burst(client: TestClient, count: number): Promise<Message[]> {
  for (let id = 0; id < count; id += 1) client.send({ type: 'echo', id, data: id });
  const answers: Message[] = [];
  while (answers.length < count) answers.push(await client.next());
  return answers;
}

const refused = (answers: readonly Message[]): Message[] => answers.filter(({ type }) => type === 'error');

const sessionsOf = (server: TestServer) => [...server.app.get(SessionRegistry, { strict: false })];

describe('messages over the rate, where they are rejected', () => {
  it('are answered with RATE_LIMIT_EXCEEDED, their id and when to retry; those within it are handled', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '1', MESSAGE_BURST: '5' });
    await using client = await connect(server.url);
    const answers = await burst(client, 8);
    expect(answers.slice(0, 5).map(({ id, data }) => [id, data])).toEqual([0, 1, 2, 3, 4].map((n) => [n, n]));
    for (const [index, error] of answers.slice(5).entries()) {
      const { retryAfter, ...others } = error;
      expect(others).toEqual({
        v: 1,
        type: 'error',
        id: 5 + index,
        code: 'RATE_LIMIT_EXCEEDED',
        message: 'Rate limit exceeded',
      });
      expect(retryAfter).toBeGreaterThan(0);
      expect(retryAfter).toBeLessThanOrEqual(1_000);
    }
  });

  it('pass when retried after that time', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '20', MESSAGE_BURST: '1' });
    await using client = await connect(server.url);
    const [, error] = await burst(client, 2);
    expect(error).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    clock.pass(Number(error?.['retryAfter']));
    expect(await client.request('echo', 'again', 'r')).toMatchObject({ id: 'r', data: 'again' });
  });

  it('are counted by session: another one of the same user is not slowed', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '1', MESSAGE_BURST: '2' });
    await using greedy = await connect(server.url);
    await using modest = await connect(server.url);
    expect(refused(await burst(greedy, 10))).toHaveLength(8);
    expect(refused(await burst(modest, 2))).toHaveLength(0);
  });

  it('are counted by address too: many sessions of one share its rate, a new connection does not refill it', async () => {
    await using server = await startTestServer({ MESSAGE_RATE_PER_IP: '3' });
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    expect(refused(await burst(first, 4))).toHaveLength(0);
    expect(refused(await burst(second, 4))).toHaveLength(2);
    first.socket.terminate();
    await using third = await connect(server.url);
    expect(refused(await burst(third, 10))).toHaveLength(10);
  });

  it('count when they are malformed or unknown as well', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '1', MESSAGE_BURST: '3' });
    await using client = await connect(server.url);
    client.send('{');
    client.send({ type: 'nobody.knows' });
    client.send({ type: 'echo', data: 1 });
    client.send({ type: 'nobody.knows', id: 'over' });
    const codes = [await client.next(), await client.next(), await client.next(), await client.next()];
    expect(codes.map(({ code }) => code)).toEqual([
      'INVALID_MESSAGE_FORMAT',
      'UNKNOWN_MESSAGE_TYPE',
      undefined,
      'RATE_LIMIT_EXCEEDED',
    ]);
  });

  it('do not exist where every rate is 0', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '0', MESSAGE_RATE_PER_IP: '0' });
    await using client = await connect(server.url);
    expect(refused(await burst(client, 1_000))).toHaveLength(0);
  });

  it('are those beyond MESSAGE_RATE at once where MESSAGE_BURST is 0', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '10', MESSAGE_BURST: '0' });
    await using client = await connect(server.url);
    const answers = await burst(client, 30);
    expect(refused(answers.slice(0, 10))).toHaveLength(0);
    expect(refused(answers)).toHaveLength(20);
  });
});

describe('messages over the rate, where they are throttled', () => {
  const throttle = { RATE_LIMIT_MODE: 'throttle' };

  it('all come through, in order and no faster than the rate, while reading pauses', async () => {
    await using server = await startTestServer({ ...throttle, MESSAGE_RATE: '100', MESSAGE_BURST: '10' });
    await using client = await connect(server.url);
    const answers: Message[] = [];
    for (let id = 0; id < 60; id += 1) client.send({ type: 'echo', id, data: id });
    for (const passed of [10, 20, 30, 40, 50, 60]) {
      while (answers.length < passed) answers.push(await client.next());
      if (passed === 60) break;
      await eventually('reading pauses', () => sessionsOf(server)[0]?.connection.isPaused === true);
      expect(client.unread).toEqual([]);
      clock.pass(100);
    }
    expect(answers.map(({ id, data }) => [id, data])).toEqual(Array.from({ length: 60 }, (_, n) => [n, n]));
    clock.pass(100);
    await eventually('reading goes on', () => sessionsOf(server)[0]?.connection.isPaused === false);
    expect(await client.request('echo', 'after')).toMatchObject({ data: 'after' });
  });

  it('do not slow another session', async () => {
    await using server = await startTestServer({ ...throttle, MESSAGE_RATE: '1', MESSAGE_BURST: '5' });
    await using greedy = await connect(server.url);
    await using modest = await connect(server.url);
    for (let id = 0; id < 1_000; id += 1) greedy.send({ type: 'echo', id });
    await eventually('the greedy one is paused', () =>
      sessionsOf(server).some(({ connection }) => connection.isPaused),
    );
    expect(refused(await burst(modest, 5))).toHaveLength(0);
    expect(greedy.unread).toHaveLength(5);
  });

  it('wait without spending the session’s own tokens where only the address is over its rate', async () => {
    await using server = await startTestServer({
      ...throttle,
      MESSAGE_RATE: '100',
      MESSAGE_BURST: '30',
      MESSAGE_RATE_PER_IP: '50',
    });
    await using client = await connect(server.url);
    const flow = setInterval(() => clock.pass(100), 10);
    const answers = await burst(client, 120).finally(() => clearInterval(flow));
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 120 }, (_, n) => n));
  });

  it('leave nothing where the client goes before they are handled', async () => {
    await using server = await startTestServer({ ...throttle, MESSAGE_RATE: '20', MESSAGE_BURST: '1' });
    const client = await connect(server.url);
    for (let id = 0; id < 100; id += 1) client.send({ type: 'echo', id });
    await eventually('reading pauses', () => sessionsOf(server)[0]?.connection.isPaused === true);
    sessionsOf(server)[0]?.close('ended_by_operator');
    await client.closed;
    await eventually('the session is gone', () => sessionsOf(server).length === 0);
    expect(client.unread.length).toBeLessThan(20);
  });
});

/** Awaits summaries until they account for so many messages. A starved server may need several. */
async function expectUnread(client: Pick<WireClient, 'next'>, count: number): Promise<void> {
  let unread = 0;
  while (unread < count) {
    const { details, retryAfter, ...summary } = await client.next();
    expect(summary).toEqual({ v: 1, type: 'error', code: 'RATE_LIMIT_EXCEEDED', message: 'Rate limit exceeded' });
    expect(retryAfter).toBeGreaterThan(0);
    const [told = ''] = (details as { messages: string[] }).messages;
    expect(told).toMatch(/^\d+ refused without being read$/);
    unread += Number.parseInt(told, 10);
  }
  expect(unread).toBe(count);
}

describe('a flood far over the rate', () => {
  /** Refusals of one session that come with their id at once, whatever its rate. */
  const READ = 200;
  const LIMITS = { MESSAGE_RATE: '1', MESSAGE_BURST: '5', RATE_ABUSE_BAN_AFTER: '0' };
  const UNREAD = 'gatehouse_messages_unhandled_total{reason="over_rate"}';

  it.each(WIRES)('is refused without being read, and told of in one summary without id: $subprotocol', async (wire) => {
    await using server = await startTestServer(LIMITS);
    await using connected = await connectWith(wire, server.url);
    const before = await Scrape.of(server);
    for (let id = 0; id < 5 + READ + 300; id += 1) connected.send({ type: 'echo', id });
    const ids: unknown[] = [];
    while (ids.length < 5 + READ) ids.push((await connected.next()).id);
    expect(ids).toEqual(Array.from({ length: 5 + READ }, (_, id) => id));

    await expectUnread(connected, 300);
    const after = await Scrape.of(server);
    expect(after.since(before, UNREAD)).toBe(300);
    expect(after.since(before, 'websocket_messages_over_rate_total{of="session"}')).toBe(READ + 300);
    clock.pass(1_000);
    expect(await connected.request('echo', 'later')).toMatchObject({ data: 'later' });
  });

  it('is not read again until its refusals are paid for by time', async () => {
    await using server = await startTestServer(LIMITS);
    await using client = await connect(server.url);
    expect(refused(await burst(client, 5 + READ))).toHaveLength(READ);
    clock.pass(100);
    for (let id = 0; id < 20; id += 1) client.send({ type: 'echo', id });
    const answers = [];
    for (let n = 0; n < 10; n += 1) answers.push(await client.next());
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, id) => id));
    await expectUnread(client, 10);
  });

  it('of large messages is read less: 4 KiB a refusal', async () => {
    await using server = await startTestServer(LIMITS);
    await using client = await connect(server.url);
    await burst(client, 5);
    // 25 refusals' worth each, with the envelope: eight are paid for.
    for (let id = 0; id < 20; id += 1) client.send({ type: 'echo', id, data: 'x'.repeat(24 * 4_096) });
    const answers = [];
    for (let n = 0; n < 8; n += 1) answers.push(await client.next());
    expect(answers.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await expectUnread(client, 12);
  });

  it('is no row of malformed messages where it is not read, and ends none', async () => {
    await using server = await startTestServer({ ...LIMITS, MAX_PROTOCOL_ERRORS: '3' });
    await using client = await connect(server.url);
    await burst(client, 5 + READ);
    for (let n = 0; n < 10; n += 1) client.send('{');
    await expectUnread(client, 10);
    clock.pass(20);
    client.send('{');
    client.send('{');
    client.send({ type: 'echo' });
    expect([(await client.next()).code, (await client.next()).code]).toEqual(Array(2).fill('INVALID_MESSAGE_FORMAT'));
    await expectUnread(client, 1);
    clock.pass(10);
    client.send('{');
    expect(await client.closed).toMatchObject({ code: 1008 });
  });

  it('counts as abuse with every message, read or not', async () => {
    await using server = await startTestServer({ ...LIMITS, RATE_ABUSE_BAN_AFTER: '400' });
    await using client = await connect(server.url);
    // Those of the first second do not count.
    await burst(client, 6);
    clock.pass(1_000);
    for (let id = 0; id < 402; id += 1) client.send({ type: 'echo', id });
    expect(await client.closed).toMatchObject({ code: 4001 });
  });

  it('that ends with a Close is refused to its last message, and holds nothing', async () => {
    await using server = await startTestServer(LIMITS);
    const client = await connect(server.url);
    const before = await Scrape.of(server);
    for (let id = 0; id < 5 + READ + 50; id += 1) client.send({ type: 'echo', id });
    client.socket.close(1000);
    expect(await client.closed).toMatchObject({ code: 1000 });
    await eventually('the session is gone', () => sessionsOf(server).length === 0);
    expect((await Scrape.of(server)).since(before, UNREAD)).toBe(50);
    expect(refused(client.unread)).toHaveLength(READ);
  });
});
