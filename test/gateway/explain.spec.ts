import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelHub } from '../../src/channels/channel-hub.js';
import { Channels } from '../../src/channels/channels.js';
import type { Subscribed } from '../../src/channels/subscribe-options.js';
import { Explanations, type Explanation } from '../../src/channels/ledger/explanations.js';
import { NodeAccounts } from '../../src/channels/ledger/node-accounts.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { api, type ApiAnswer } from '../support/api-client.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { connect, type Closed, type Message, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const KIB = 1_024;
const LARGE = 'x'.repeat(64 * KIB);
const KEPT = 'subscribe: anyone, publish: anyone, history: { size: 1000, age: 1h }';
const ADMIN = mintToken({ sub: 'operator', roles: ['ADMIN'] });

let file: NamespacesFile;
let server: TestServer;
let made = 0;

beforeAll(async () => {
  file = namespacesFile({
    log: `${KEPT}, ledger: true`,
    newest: `${KEPT}, delivery: latest, ledger: true`,
    oldest: `${KEPT}, delivery: drop_oldest, ledger: true`,
    short: 'subscribe: anyone, publish: anyone, history: { size: 2, age: 1h }, ledger: true',
    tiny: `${KEPT}, ledger: { size: 4, age: 1h }`,
    members: 'subscribe: [MEMBER], history: { size: 10, age: 1h }, ledger: true',
    bare: KEPT,
  });
  server = await startTestServer({ ...file.environment, OUTBOUND_QUEUE_BYTES: String(256 * KIB) });
});

afterAll(async () => {
  await server.close();
  file[Symbol.dispose]();
});

/** A user and a channel that no other test knows. */
function fresh(namespace = 'log'): { user: string; channel: string } {
  made += 1;
  return { user: `user-${made}`, channel: `${namespace}:${made}` };
}

const as = (sub: string, roles: string[] = []): Promise<TestClient> => connect(server.url, { claims: { sub, roles } });

function ask(query: string, token = ADMIN): Promise<ApiAnswer> {
  return api(server, `GET /api/explain?${query}`, { token });
}

async function explain(userId: string, channel: string, seq: number): Promise<Explanation> {
  const { status, body } = await ask(`userId=${userId}&channel=${channel}&seq=${seq}`);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body as Explanation;
}

/** Publishes as a back end; returns the seq of the last. */
async function publish(channel: string, ...items: unknown[]): Promise<number> {
  const channels = server.app.get(Channels, { strict: false });
  let last = 0;
  for (const data of items) last = (await channels.publish(channels.named(channel), { data })).position?.seq ?? 0;
  return last;
}

async function publishBriefly(channel: string, ttlMs: number): Promise<number> {
  const channels = server.app.get(Channels, { strict: false });
  const { position } = await channels.publish(channels.named(channel), { data: 'brief', ttlMs });
  return position?.seq ?? 0;
}

async function subscribe(client: TestClient, channel: string, since?: object): Promise<Subscribed> {
  const reply = await client.request('subscribe', { channel, since });
  expect(reply.type).toBe('subscribe_reply');
  return reply.data as Subscribed;
}

async function gone(client: TestClient, user: string): Promise<Closed> {
  client.socket.close();
  const closed = await client.closed;
  const sessions = server.app.get(SessionRegistry, { strict: false });
  await eventually('its session is gone', () => sessions.countOfUser(user) === 0);
  return closed;
}

/** Subscribes, stops reading, and fills the way to the client until what is published next waits in its queue. Returns the seq by then. */
async function clog(client: TestClient, { user, channel }: { user: string; channel: string }): Promise<number> {
  await subscribe(client, channel);
  client.socket.pause();
  const [session] = server.app.get(SessionRegistry, { strict: false }).ofUser(user);
  for (let n = 0; n < 1_000; n += 1) {
    const seq = await publish(channel, LARGE);
    // Beyond what the system's buffers take at once.
    await pause(1);
    if ((session?.connection.waitingBytes ?? 0) > 0) return seq;
  }
  throw new Error('the reader never fell behind');
}

async function until(client: TestClient, isIt: (message: Message) => boolean): Promise<Message> {
  for (;;) {
    const message = await client.next();
    if (isIt(message)) return message;
  }
}

describe('why a user got a message, or did not', () => {
  it('was handed to the operating system, and when, which is no acknowledgement', async () => {
    const { user, channel } = fresh();
    await using client = await as(user);
    await subscribe(client, channel);
    const before = Date.now();
    const seq = await publish(channel, 'a', 'b');
    await until(client, (message) => message['seq'] === seq);
    const { outcome, at, sessions, publication, nodes, missing, ...rest } = await explain(user, channel, seq);
    expect(outcome).toBe('delivered');
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
    expect(rest).toMatchObject({ meaning: expect.stringContaining('not an acknowledgement') as string });
    expect(publication).toMatchObject({ state: 'kept', top: { seq } });
    expect(sessions).toMatchObject([{ outcome: 'delivered', nodeId: 'test-node', subscribes: [{ seq: 0 }] }]);
    expect(nodes).toMatchObject([{ nodeId: 'test-node' }]);
    expect(missing).toEqual([]);
  });

  it('was published before the user subscribed', async () => {
    const { user, channel } = fresh();
    const seq = await publish(channel, 'early');
    await using client = await as(user);
    await subscribe(client, channel);
    expect(await explain(user, channel, seq)).toMatchObject({
      outcome: 'before_subscribe',
      sessions: [{ outcome: 'before_subscribe', subscribes: [{ seq }] }],
    });
  });

  it('was published while a session was open that was not in the channel, or not any more', async () => {
    const { user, channel } = fresh();
    await using elsewhere = await as(user);
    await elsewhere.request('ping');
    const first = await publish(channel, 'a');
    expect(await explain(user, channel, first)).toMatchObject({ outcome: 'not_subscribed' });
    await using client = await as(user);
    await subscribe(client, channel);
    await client.request('unsubscribe', { channel });
    const second = await publish(channel, 'b');
    const { outcome, sessions } = await explain(user, channel, second);
    expect(outcome).toBe('not_subscribed');
    expect(sessions).toContainEqual(expect.objectContaining({ outcome: 'not_subscribed', reason: 'unsubscribed' }));
  });

  it('was published after the user had lost the right to the channel', async () => {
    const { user, channel } = fresh('members');
    await using client = await as(user, ['MEMBER']);
    await subscribe(client, channel);
    await api(server, `PUT /api/users/${user}/rights`, { body: { roles: [] } });
    await until(client, ({ type }) => type === 'unsubscribed');
    const seq = await publish(channel, 'a');
    expect(await explain(user, channel, seq)).toMatchObject({ outcome: 'not_subscribed', reason: 'rights' });
  });

  it('was published while the user was offline', async () => {
    const { user, channel } = fresh();
    const client = await as(user);
    await subscribe(client, channel);
    await gone(client, user);
    await pause(2);
    const seq = await publish(channel, 'a');
    const { outcome, sessions } = await explain(user, channel, seq);
    expect(outcome).toBe('offline');
    expect(sessions).toMatchObject([{ outcome, closeCode: 1005, closedAt: expect.any(Number) as number }]);
    expect(await explain('nobody', channel, seq)).toMatchObject({ outcome: 'offline', sessions: [] });
  });

  it('was never published, which holds for all sessions of the user', async () => {
    const { user, channel } = fresh();
    const closed = await as(user);
    await subscribe(closed, channel);
    await gone(closed, user);
    await using client = await as(user);
    await subscribe(client, channel);
    await using elsewhere = await as(user);
    await elsewhere.request('ping');
    await publish(channel, 'a', 'b');
    const outcome = 'never_published';
    expect(await explain(user, channel, 3)).toMatchObject({
      outcome,
      publication: { state: 'never', top: { seq: 2 } },
      sessions: [{ outcome }, { outcome }, { outcome }],
    });
  });

  it('is of a life of the channel that nobody remembers', async () => {
    const { user, channel } = fresh();
    await using client = await as(user);
    await subscribe(client, channel);
    await publish(channel, 'a');
    const { body } = await ask(`userId=${user}&channel=${channel}&seq=1&epoch=zzz`);
    const verdict = { outcome: 'unknown', reason: 'forgotten' };
    expect(body).toMatchObject({ ...verdict, publication: { state: 'gone' }, sessions: [verdict] });
  });

  it('was the user’s own, and excluded by its wish', async () => {
    const { user, channel } = fresh();
    await using client = await as(user);
    const { sessionId } = (await client.request('hello')).data as { sessionId: string };
    await subscribe(client, channel);
    await client.request('publish', { channel, data: 'mine', excludeSelf: true });
    expect(await explain(user, channel, 1)).toMatchObject({ outcome: 'excluded' });
    await gone(client, user);
    // So it stays after a reconnect.
    await using again = await as(user);
    const { epoch } = (await explain(user, channel, 1)).publication.top;
    await again.request('subscribe', { channel, since: { epoch, seq: 0 }, previousSession: sessionId });
    expect((await explain(user, channel, 1)).sessions.map(({ outcome }) => outcome)).toEqual(['excluded', 'excluded']);
  });

  it('came later, with the reply to the subscribe after a reconnect', async () => {
    const { user, channel } = fresh();
    const first = await as(user);
    const { epoch = '', seq = 0 } = await subscribe(first, channel);
    await gone(first, user);
    const missed = await publish(channel, 'a', 'b');
    const before = Date.now();
    await using second = await as(user);
    await subscribe(second, channel, { epoch, seq });
    await expect.poll(() => explain(user, channel, missed)).toMatchObject({ outcome: 'recovered' });
    expect((await explain(user, channel, missed)).at).toBeGreaterThanOrEqual(before);
  });

  it('is behind what the client said that it had', async () => {
    const { user, channel } = fresh();
    await publish(channel, 'a', 'b', 'c');
    const { epoch } = (await explain(user, channel, 1)).publication.top;
    await using client = await as(user);
    await subscribe(client, channel, { epoch, seq: 2 });
    expect(await explain(user, channel, 2)).toMatchObject({ outcome: 'claimed' });
    expect(await explain(user, channel, 3)).toMatchObject({ outcome: 'recovered' });
  });

  it('was announced as lost in the reply to a subscribe, for the history had forgotten it', async () => {
    const { user, channel } = fresh('short');
    await using client = await as(user);
    await publish(channel, 1, 2, 3, 4, 5);
    const { epoch } = (await explain(user, channel, 1)).publication.top;
    await subscribe(client, channel, { epoch, seq: 1 });
    await expect
      .poll(() => explain(user, channel, 2))
      .toMatchObject({
        outcome: 'gap_announced',
        gap: { from: 2, to: 3 },
        publication: { state: 'gone' },
      });
    expect(await explain(user, channel, 4)).toMatchObject({ outcome: 'recovered' });
  });

  it('was lost on the way to the node, which has not noticed; then it is announced', async () => {
    const { user, channel } = fresh('short');
    await using client = await as(user);
    await subscribe(client, channel);
    const hub = server.app.get(ChannelHub, { strict: false });
    hub.published = () => {};
    await publish(channel, 1, 2, 3, 4);
    Reflect.deleteProperty(hub, 'published');
    expect(await explain(user, channel, 1)).toMatchObject({ outcome: 'not_arrived', publication: { state: 'gone' } });
    hub.interrupted();
    await until(client, ({ seq }) => seq === 4);
    const { outcome, gap, sessions } = await explain(user, channel, 1);
    expect({ outcome, gap }).toEqual({ outcome: 'gap_announced', gap: { from: 1, to: 2 } });
    expect(sessions).toHaveLength(1);
    expect(await explain(user, channel, 3)).toMatchObject({ outcome: 'delivered' });
  });

  it('is waiting for a slow reader, is replaced where only the latest counts, and leaves as soon as it reads', async () => {
    const place = fresh('newest');
    const { user, channel } = place;
    await using client = await as(user);
    await clog(client, place);
    const replaced = await publish(channel, 'old');
    expect(await explain(user, channel, replaced)).toMatchObject({ outcome: 'waiting', reason: 'queue' });
    const newest = await publish(channel, 'new');
    expect(await explain(user, channel, replaced)).toMatchObject({ outcome: 'dropped', reason: 'latest' });
    expect(await explain(user, channel, newest)).toMatchObject({ outcome: 'waiting' });
    client.socket.resume();
    await until(client, ({ seq }) => seq === newest);
    await expect.poll(() => explain(user, channel, newest)).toMatchObject({ outcome: 'delivered' });
    expect(await explain(user, channel, replaced)).toMatchObject({ outcome: 'dropped', reason: 'latest' });
  });

  it('gave way to newer ones in a full queue', async () => {
    const place = fresh('oldest');
    await using client = await as(place.user);
    const first = (await clog(client, place)) + 1;
    for (let n = 0; n < 8; n += 1) await publish(place.channel, LARGE);
    expect(await explain(place.user, place.channel, first)).toMatchObject({
      outcome: 'dropped',
      reason: 'drop_oldest',
    });
  });

  it('expired in the queue of a slow reader', async () => {
    const place = fresh('newest');
    const { user, channel } = place;
    await using client = await as(user);
    await clog(client, place);
    const brief = await publishBriefly(channel, 1);
    await pause(5);
    client.socket.resume();
    await client.request('ping');
    await expect
      .poll(() => explain(user, channel, brief))
      .toMatchObject({
        outcome: 'dropped',
        reason: 'expired',
      });
  });

  it('was dropped with a reader that was cut off', async () => {
    const place = fresh();
    const { user, channel } = place;
    await using client = await as(user);
    const first = await clog(client, place);
    let last = first;
    for (let n = 0; n < 8; n += 1) last = await publish(channel, LARGE);
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 4008 });
    const { outcome, reason, sessions } = await explain(user, channel, first + 1);
    expect({ outcome, reason }).toEqual({ outcome: 'dropped', reason: 'slow_consumer' });
    await expect
      .poll(() => explain(user, channel, last))
      .toMatchObject({
        sessions: [{ closeCode: 4008 }],
      });
    expect(sessions).toHaveLength(1);
  });

  it('is not known any more, where the ledger is full of newer ones', async () => {
    const { user, channel } = fresh('tiny');
    await using client = await as(user);
    await subscribe(client, channel);
    const seqs: number[] = [];
    for (let n = 0; n < 4; n += 1) seqs.push(await publish(channel, n));
    const [first = 0] = seqs;
    await until(client, ({ seq }) => seq === seqs.at(-1));
    const { outcome, reason, nodes, publication } = await explain(user, channel, first);
    expect({ outcome, reason }).toEqual({ outcome: 'unknown', reason: 'forgotten' });
    expect(nodes[0]?.deliveriesSince).toBeGreaterThanOrEqual(publication.ts ?? Infinity);
    expect(await explain(user, channel, seqs.at(-1) ?? 0)).toMatchObject({ outcome: 'delivered' });
  });

  it('is known over TLS alike', async () => {
    const certificate = await makeCertificate();
    using files = new CertificateFolder(certificate);
    await using secure = await startTestServer({ ...file.environment, ...files.environment });
    const options = { ca: certificate.cert, claims: { sub: 'tina' } };
    await using client = await connect(secure.url, options);
    await subscribe(client, 'log:tls');
    const channels = secure.app.get(Channels, { strict: false });
    await channels.publish(channels.named('log:tls'), { data: 1 });
    const { epoch } = await client.next();
    await using other = await connect(secure.url, options);
    await subscribe(other, 'log:tls', { epoch, seq: 0 });
    const { nodeId } = secure.app.get(NodeAccounts, { strict: false });
    const explanations = secure.app.get(Explanations, { strict: false });
    await expect
      .poll(() => explanations.of(channels.named('log:tls'), { userId: 'tina', seq: 1 }))
      .toMatchObject({
        outcome: 'delivered',
        sessions: [
          { outcome: 'delivered', nodeId },
          { outcome: 'recovered', nodeId },
        ],
      });
  });

  it('counts for a user as what came off best of all its sessions', async () => {
    const { user, channel } = fresh();
    await using desktop = await as(user);
    await using phone = await as(user);
    await phone.request('ping');
    await subscribe(desktop, channel);
    const seq = await publish(channel, 'a');
    await until(desktop, (message) => message['seq'] === seq);
    const { outcome, sessions } = await explain(user, channel, seq);
    expect([outcome, ...sessions.map((session) => session.outcome)]).toEqual([
      'delivered',
      'delivered',
      'not_subscribed',
    ]);
  });
});

describe('GET /api/explain', () => {
  it('refuses where the namespace keeps no ledger, with a sentence that says so', async () => {
    const { status, body } = await ask('userId=alice&channel=bare:a&seq=1');
    expect({ status, body }).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('ledger') as string },
    });
  });

  it.each([
    ['channel=log:a&seq=1', 422],
    ['userId=a&channel=log:a', 422],
    ['userId=a&channel=log:a&seq=0', 422],
    ['userId=a&channel=log:a&seq=x', 422],
    ['userId=a&channel=nowhere:a&seq=1', 404],
  ])('answers %s with %i', async (query, status) => {
    expect((await ask(query)).status).toBe(status);
  });

  it('is for ADMIN alone, and each call is a line of the audit', async () => {
    const query = 'userId=carol&channel=log:a&seq=1';
    expect((await ask(query, mintToken({ sub: 'backend', roles: ['SERVICE'] }))).status).toBe(403);
    expect((await ask(query)).status).toBe(200);
    await eventually('it is in the audit', () =>
      server.auditLines.some(
        ({ who, action, target, outcome }) =>
          who === 'operator' && action === 'explain' && target === 'carol log:a 1' && outcome === 'done',
      ),
    );
  });

  it('stands on entries that are counted, and there are none without a ledger', async () => {
    expect((await Scrape.of(server)).value('gatehouse_ledger_entries')).toBeGreaterThan(0);
    await using other = await startTestServer();
    await using client = await connect(other.url);
    await client.request('subscribe', { channel: 'room:a' });
    expect((await Scrape.of(other)).text).not.toMatch(/^gatehouse_ledger_entries /m);
  });
});
