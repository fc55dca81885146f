import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HookEvents } from '../../src/hooks/hook-events.js';
import { BackEnd, hooksFile, type Answer } from '../support/back-end.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { sharedServers } from '../support/shared-server.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

describe('the hook of messages', () => {
  it('has the back end answer types that no gateway has, and send to others', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, `messages: [{ types: ['order.*'], endpoint: app }]`);
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using client = await connect(server.url, { claims: { sub: 'alice', roles: ['MEMBER'] } });
    backEnd.answer = ({ data }) => ({
      data: { taken: data.data },
      messages: [{ to: { user: 'alice' }, type: 'order.seen', data: 7 }],
    });

    client.send({ type: 'order.place', id: 1, data: { tea: 2 } });
    expect(await client.next()).toEqual({ v: 1, type: 'order.seen', data: 7 });
    expect(await client.next()).toEqual({ v: 1, type: 'order.place_reply', id: 1, data: { taken: { tea: 2 } } });
    expect(backEnd.asked).toEqual([
      {
        type: 'message',
        id: expect.stringMatching(/^msg_/),
        at: expect.any(Number),
        data: {
          session: expect.any(String),
          user: 'alice',
          roles: ['MEMBER'],
          address: '127.0.0.1',
          type: 'order.place',
          id: 1,
          data: { tea: 2 },
        },
      },
    ]);
    expect(await client.request('refund.place', {})).toMatchObject({ code: 'UNKNOWN_MESSAGE_TYPE' });
  });

  it('keeps the order of one connection, and lets other connections go on', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, `messages: [{ types: ['order.*'], endpoint: app }]`, ', timeout: 30s');
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using slow = await connect(server.url);
    await using quick = await connect(server.url);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    backEnd.answer = async ({ data }) => {
      if (data.type === 'order.slow') await held;
      return { data: data.type };
    };
    slow.send({ type: 'order.slow', id: 1 });
    slow.send({ type: 'echo', id: 2 });
    await eventually('the back end is asked', () => backEnd.asked.length === 1);
    expect(await quick.request('order.quick', {})).toMatchObject({ data: 'order.quick' });
    release();
    expect(await slow.next()).toMatchObject({ id: 1, data: 'order.slow' });
    expect(await slow.next()).toMatchObject({ id: 2, type: 'echo_reply' });
  });

  it('answers with an error of the back end, of the registry or of its own', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, `messages: [{ types: ['*'], endpoint: app }]`);
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using client = await connect(server.url);
    backEnd.answer = () => ({ error: { code: 'FORBIDDEN' } });
    expect(await client.request('x')).toMatchObject({ code: 'FORBIDDEN', message: 'Insufficient privileges' });
    backEnd.answer = () => ({ error: { code: 'SOLD_OUT', message: 'No tea is left' } });
    expect(await client.request('x')).toMatchObject({ code: 'SOLD_OUT', message: 'No tea is left' });
    expect(await client.request('echo', 'a gateway wins')).toMatchObject({ data: 'a gateway wins' });
  });
});

describe('a back end that gives no usable answer', () => {
  const FAULTS: [name: string, reason: string, answer: Answer][] = [
    ['answers with a status', 'bad_status', (_asked, response) => void response.writeHead(500).end('{}')],
    [
      'redirects',
      'bad_status',
      (_asked, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    [
      'lies about its length',
      'unreachable',
      (_a, response) => void response.writeHead(200, { 'content-length': 9 }).destroy(),
    ],
    ['hangs up', 'unreachable', (_asked, response) => void response.destroy()],
    ['answers no JSON', 'bad_answer', () => 'tea'],
    ['answers a list', 'bad_answer', () => []],
    ['answers with an unknown field', 'bad_answer', () => ({ dta: 1 })],
    ['answers a denial without a code', 'bad_answer', () => ({ error: 'no' })],
    ['addresses nobody', 'bad_answer', () => ({ messages: [{ to: {}, type: 'x' }] })],
    ['names a channel that cannot exist', 'bad_answer', () => ({ messages: [{ to: { channel: 'no' }, type: 'x' }] })],
    ['answers two megabytes', 'bad_answer', () => ({ data: 'x'.repeat(2_000_000) })],
    ['says nothing', 'timeout', () => new Promise(() => {})],
    [
      'sends half an answer and stops',
      'timeout',
      (_asked, response) => void response.writeHead(200, { 'content-length': 9 }).write('{'),
    ],
  ];

  let backEnd: BackEnd;
  let files: Record<'quick' | 'patient', ReturnType<typeof hooksFile>>;
  beforeAll(async () => {
    backEnd = await BackEnd.start();
    const section = `messages: [{ types: ['*'], endpoint: app }]`;
    files = {
      quick: hooksFile(backEnd.url, section, ', timeout: 50ms'),
      patient: hooksFile(backEnd.url, section, ', timeout: 30s'),
    };
  });
  afterAll(async () => {
    for (const file of Object.values(files)) file[Symbol.dispose]();
    await backEnd[Symbol.asyncDispose]();
  });
  // Ends before the back end does. A circuit breaker opens after more faults than these.
  const serverWith = sharedServers();

  it.each(FAULTS)('that %s is UPSTREAM_UNAVAILABLE, counted as %s', async (_name, reason, answer) => {
    backEnd.answer = answer;
    const { HOOKS_FILE } = reason === 'timeout' ? files.quick : files.patient;
    const server = await serverWith({ HOOKS_FILE });
    const [before, asked] = [await Scrape.of(server), backEnd.asked.length];
    await using client = await connect(server.url);
    expect(await client.request('x')).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryAfter: 1_000 });
    // A starved process may give up before it has asked; it never asks twice.
    expect(backEnd.asked.length - asked).toBeOneOf(reason === 'timeout' ? [0, 1] : [1]);
    const metrics = await Scrape.of(server);
    expect(metrics.since(before, `gatehouse_hook_requests_total{hook="message",outcome="${reason}"}`)).toBe(1);
    expect(metrics.since(before, 'gatehouse_hook_duration_seconds_count{hook="message"}')).toBe(1);
  });
});

describe('the hooks of channels', () => {
  it('let the back end refuse a subscribe, and refuse or change a publication', async () => {
    await using backEnd = await BackEnd.start();
    const both = 'subscribe: { endpoint: app, namespaces: [room] }\npublish: { endpoint: app, namespaces: [room] }';
    using file = hooksFile(backEnd.url, both);
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using client = await connect(server.url);
    backEnd.answer = ({ type, data }) => {
      if (data.channel === 'room:closed') return { deny: { code: 'FORBIDDEN', message: 'Closed' } };
      return type === 'publish' ? { data: { checked: data.data } } : {};
    };
    expect(await client.request('subscribe', { channel: 'room:closed' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await client.request('subscribe', { channel: 'room:open' })).toMatchObject({ type: 'subscribe_reply' });
    client.send({ type: 'publish', id: 3, data: { channel: 'room:open', data: 'tea' } });
    expect(await client.next()).toMatchObject({ type: 'message', data: { checked: 'tea' } });
    expect(await client.next()).toMatchObject({ type: 'publish_reply', id: 3 });
    expect(backEnd.asked.map(({ type, data }) => [type, data.channel])).toEqual([
      ['subscribe', 'room:closed'],
      ['subscribe', 'room:open'],
      ['publish', 'room:open'],
    ]);
  });

  it('let a publish pass or refuse it when the back end is away, as on_failure says', async () => {
    const both =
      'subscribe: { endpoint: app, namespaces: [room], on_failure: allow }\npublish: { endpoint: app, namespaces: [room] }';
    using file = hooksFile('http://127.0.0.1:1/', both);
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using client = await connect(server.url);
    expect(await client.request('subscribe', { channel: 'room:open' })).toMatchObject({ type: 'subscribe_reply' });
    expect(await client.request('publish', { channel: 'room:open' })).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });
});

describe('the hook of connections', () => {
  it('lets the back end give roles and channels in place of those of the token', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, 'connect: { endpoint: app }');
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    backEnd.answer = () => ({ roles: ['EDITOR'], channels: { 'user:bob': ['subscribe'] } });
    await using client = await connect(server.url, { claims: { sub: 'alice', roles: ['ADMIN'] } });
    expect(await client.request('hello')).toMatchObject({ data: { userId: 'alice', roles: ['EDITOR'] } });
    expect(await client.request('subscribe', { channel: 'user:bob' })).toMatchObject({ type: 'subscribe_reply' });
  });

  it.each([
    ['FORBIDDEN', 4403, 'denied_by_back_end'],
    ['UNAUTHENTICATED', 4401, 'unauthenticated'],
  ])('that is answered with %s closes with %i', async (code, close, reason) => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, 'connect: { endpoint: app }');
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    backEnd.answer = () => ({ deny: { code } });
    expect(await open(server.url).closed).toMatchObject({ code: close });
    const metrics = await Scrape.of(server);
    expect(metrics.value(`websocket_connections_refused_total{reason="${reason}"}`)).toBe(1);
  });

  it('refuses everyone with 1013 while the back end is away', async () => {
    using file = hooksFile('http://127.0.0.1:1/', 'connect: { endpoint: app }');
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    expect(await open(server.url).closed).toMatchObject({ code: 1013 });
  });
});

describe('the audit log', () => {
  it('has what the back end decided, and what was allowed without it', async () => {
    await using backEnd = await BackEnd.start();
    const sections = `connect: { endpoint: app }
publish: { endpoint: app, namespaces: [room], on_failure: allow }
messages: [{ types: ['order.*'], endpoint: app }]`;
    using file = hooksFile(backEnd.url, sections, ', timeout: 30s');
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE, AUDIT_LOG: 'on' });
    backEnd.answer = () => ({ roles: ['MEMBER'] });
    await using client = await connect(server.url, { claims: { sub: 'alice' } });
    await client.request('subscribe', { channel: 'room:tea' });
    backEnd.answer = () => ({ error: { code: 'SOLD_OUT' } });
    await client.request('order.place');
    backEnd.answer = () => ({ deny: { code: 'FORBIDDEN' } });
    await client.request('publish', { channel: 'room:tea', data: 1 });
    backEnd.answer = (_asked, response) => void response.destroy();
    client.send({ type: 'publish', id: 9, data: { channel: 'room:tea', data: 2 } });
    await client.next();
    expect(await client.next()).toMatchObject({ type: 'publish_reply', id: 9 });
    const lines = server.auditLines.filter(({ event }) => event === 'back_end_decided');
    expect(lines).toMatchObject([
      { hook: 'connect', endpoint: 'app', verdict: 'rights_given', user: 'alice', address: '127.0.0.1' },
      { hook: 'message', verdict: 'denied', code: 'SOLD_OUT', target: 'order.place' },
      { hook: 'publish', verdict: 'denied', code: 'FORBIDDEN', target: 'room:tea' },
      { hook: 'publish', verdict: 'allowed_unasked', target: 'room:tea' },
    ]);
  });
});

describe('the hook of events', () => {
  it('tells that a channel is occupied with its first subscriber, and vacated when it has had none for a while', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, 'events: { endpoint: app, types: [channel.*], wait: 1ms }');
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using alice = await connect(server.url);
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    await alice.request('subscribe', { channel: 'room:tea', presence: true });
    await bob.request('subscribe', { channel: 'room:tea' });
    await alice.request('unsubscribe', { channel: 'room:tea' });
    // Back before the channel is let go.
    await bob.request('unsubscribe', { channel: 'room:tea' });
    await bob.request('subscribe', { channel: 'room:tea' });
    await bob.request('unsubscribe', { channel: 'room:tea' });
    await eventually('both are told', () => backEnd.told.length >= 2);
    expect(backEnd.told.map(({ type, data }) => [type, data])).toEqual([
      ['channel.occupied', { channel: 'room:tea' }],
      ['channel.vacated', { channel: 'room:tea' }],
    ]);
  });

  it('tells that channels are vacated when the only node ends', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, 'events: { endpoint: app, types: [channel.vacated], wait: 10s }');
    const server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using client = await connect(server.url);
    await client.request('subscribe', { channel: 'room:tea' });
    await server.close();
    expect(backEnd.told.map(({ data }) => data)).toEqual([{ channel: 'room:tea' }]);
  });

  it('tells of sessions and members in the order in which they come and go', async () => {
    await using backEnd = await BackEnd.start();
    const told = (): unknown[] => backEnd.asked.flatMap(({ data }) => data as unknown as unknown[]);
    using file = hooksFile(backEnd.url, 'events: { endpoint: app, types: [session.*, member.*], wait: 1ms }');
    {
      await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
      await using client = await connect(server.url, { claims: { sub: 'alice' } });
      await client.request('subscribe', { channel: 'room:tea' });
      await client.request('unsubscribe', { channel: 'room:tea' });
      client.socket.close(1000);
      await client.closed;
      await eventually('all is told', () => told().length >= 4);
    }
    expect(told()).toMatchObject([
      { type: 'session.opened', id: expect.stringMatching(/^evt_/), data: { user: 'alice', address: '127.0.0.1' } },
      { type: 'member.joined', data: { channel: 'room:tea', user: 'alice' } },
      { type: 'member.left', data: { channel: 'room:tea', user: 'alice' } },
      { type: 'session.closed', data: { user: 'alice', code: 1000 } },
    ]);
  });

  it('repeats a batch with its ids until the back end takes it', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, 'events: { endpoint: app, types: [session.opened], wait: 1ms }');
    let failures = 1;
    backEnd.answer = (_asked, response) => {
      if (failures === 0) return {};
      failures -= 1;
      return void response.writeHead(503).end();
    };
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using client = await connect(server.url);
    expect(client.unread).toEqual([]);
    await eventually('it is told again', () => backEnd.asked.length === 2);
    const [first, again] = backEnd.asked;
    expect(again?.id).toBe(first?.id);
    expect(again?.data).toEqual(first?.data);
  });

  it('counts what was dropped', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, 'events: { endpoint: app }');
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    server.app.get(HookEvents, { strict: false }).emit('dropped', 3, 'refused');
    const scrape = await Scrape.of(server);
    expect(scrape.value('gatehouse_hook_events_dropped_total{reason="refused"}')).toBe(3);
    expect(scrape.value('gatehouse_hook_events_dropped_total{reason="too_old"}')).toBe(0);
    expect(server.logLines).toContainEqual(expect.objectContaining({ events: 3, reason: 'refused', level: 'error' }));
  });

  it('goes on with the next events if the back end will never take a batch', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, 'events: { endpoint: app, types: [session.opened], batch: 1 }');
    backEnd.answer = (asked, response) => {
      return JSON.stringify(asked.data).includes('mallory') ? void response.writeHead(422).end() : {};
    };
    await using server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using refused = await connect(server.url, { claims: { sub: 'mallory' } });
    await using next = await connect(server.url, { claims: { sub: 'bob' } });
    expect([refused.unread, next.unread]).toEqual([[], []]);
    await eventually('bob is told', () => backEnd.asked.length === 6);
    const scrape = await Scrape.of(server);
    expect(scrape.value('gatehouse_hook_events_dropped_total{reason="refused"}')).toBe(1);
  });

  it('tells what is left before the server ends', async () => {
    await using backEnd = await BackEnd.start();
    using file = hooksFile(backEnd.url, 'events: { endpoint: app, types: [session.*], wait: 10s }');
    const server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    await using client = await connect(server.url);
    await server.close();
    await client.closed;
    const told = backEnd.asked.flatMap(({ data }) => (data as unknown as { type: string }[]).map(({ type }) => type));
    expect(told).toEqual(['session.opened', 'session.closed']);
  });

  it('tells all batches that are left before the server ends, also to a slow back end', async () => {
    await using backEnd = await BackEnd.start();
    backEnd.answer = () => new Promise((resolve) => setTimeout(resolve, 50, {}));
    using file = hooksFile(backEnd.url, 'events: { endpoint: app, types: [session.*], wait: 10s, batch: 2 }');
    const server = await startTestServer({ HOOKS_FILE: file.HOOKS_FILE });
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(server.url)));
    await server.close();
    await Promise.all(clients.map(({ closed }) => closed));
    const told = backEnd.asked.flatMap(({ data }) => data as unknown as unknown[]);
    expect(told).toHaveLength(10);
  });
});
