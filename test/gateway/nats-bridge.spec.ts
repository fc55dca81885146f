// @module-tag nats
import { jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bridgesFile, type BridgesFile } from '../support/bridges-file.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { NatsServer } from '../support/nats-server.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const HISTORY = 'history: { size: 5000, age: 10m }';
const NAMESPACES = {
  order: `subscribe: anyone, publish: nobody, ${HISTORY}`,
  room: `subscribe: anyone, publish: anyone, ${HISTORY}, egress: { nats: out.rooms, stream: OUT }`,
  loud: 'subscribe: anyone, publish: anyone, egress: { nats: loud.all }',
  ring: `subscribe: anyone, publish: anyone, ${HISTORY}, egress: { nats: ring.all, stream: RING }`,
};
const ORDERS = {
  nats: 'orders.*.status',
  stream: 'ORDERS',
  durable: 'gatehouse',
  channel: 'order:{1}',
  dead_letter: 'dead.orders',
};

let broker: NatsServer;
let namespaces: NamespacesFile;
let bridges: BridgesFile;
let server: TestServer;

beforeAll(async () => {
  broker = await NatsServer.start();
  await broker.addStream('ORDERS', 'orders.>');
  await broker.addStream('MANY', 'many.>');
  await broker.addStream('DEAD', 'dead.>');
  await broker.addStream('OUT', 'out.>');
  await broker.addStream('RING', 'ring.>');
  namespaces = namespacesFile(NAMESPACES);
  bridges = bridgesFile({
    nats: { servers: [broker.url] },
    in: [
      ORDERS,
      { nats: 'many.>', stream: 'MANY', durable: 'many', channel: 'order:{1}', in_flight: 100 },
      { nats: 'plain.*.>', channel: 'order:{2}-{header:colour}' },
      { nats: 'ring.>', stream: 'RING', durable: 'ring', channel: 'ring:{header:gatehouse-channel}' },
    ],
  });
  server = await startTestServer({ ...namespaces.environment, ...bridges.environment });
});

afterAll(async () => {
  await server.close();
  namespaces[Symbol.dispose]();
  bridges[Symbol.dispose]();
  await broker[Symbol.asyncDispose]();
});

/** The next messages of a subject, which the broker knows to send us: what another connection publishes is not missed. */
async function listen(connection: NatsConnection, subject: string, max: number): Promise<Subscription> {
  const messages = connection.subscribe(subject, { max });
  await connection.flush();
  return messages;
}

async function follower(channel: string, at = server): Promise<TestClient> {
  const client = await connect(at.url);
  await client.request('subscribe', { channel });
  return client;
}

async function counted(bridge: string, outcome: string, at = server): Promise<number> {
  return (await Scrape.of(at)).value(`gatehouse_bridge_messages_total{bridge="${bridge}",outcome="${outcome}"}`);
}

describe('a message of a stream', () => {
  it('is published in the channel that its subject names, in order, and acknowledged', async () => {
    await using client = await follower('order:17');
    await broker.store(Array.from({ length: 5 }, (_, n) => ['orders.17.status', JSON.stringify({ n })] as const));
    for (let n = 0; n < 5; n += 1) expect(await client.next()).toMatchObject({ type: 'message', data: { n } });
    await using connection = await broker.connect();
    const manager = await jetstreamManager(connection);
    await eventually('all are acknowledged', async () => {
      const { num_ack_pending, num_pending } = await manager.consumers.info('ORDERS', 'gatehouse');
      return num_ack_pending === 0 && num_pending === 0;
    });
    expect(await counted('orders.*.status', 'published')).toBeGreaterThanOrEqual(5);
    expect((await Scrape.of(server)).value('gatehouse_bridge_lag_messages{bridge="orders.*.status"}')).toBe(0);
    expect((await Scrape.of(server)).value('gatehouse_bridge_connected{broker="nats"}')).toBe(1);
  });

  it('is JSON, or else a text, or else bytes', async () => {
    await using client = await follower('order:kinds');
    const payloads = ['{"a":[1]}', '17', 'null', 'Grüße', '', Uint8Array.of(0xff, 0xfe)];
    await broker.store(payloads.map((payload) => ['orders.kinds.status', payload] as const));
    for (const data of [{ a: [1] }, 17, null, 'Grüße', '']) expect(await client.next()).toMatchObject({ data });
    // As v1.json writes bytes.
    expect(await client.next()).toMatchObject({ data: Buffer.of(0xff, 0xfe).toString('base64') });
  });

  it('that can never be published goes to the dead-letter subject with the reason, and holds up nobody', async () => {
    await using client = await follower('order:good');
    await using connection = await broker.connect();
    const dead = await listen(connection, 'dead.orders', 3);
    const before = await counted('orders.*.status', 'dead_lettered');
    const poison: readonly (readonly [string, string, string])[] = [
      [`orders.${'x'.repeat(300)}.status`, '1', 'UNKNOWN_CHANNEL'],
      ['orders.bad.status', '[1e400]', '1e400'],
      ['orders.bad.status', '{"__proto__":{"a":1}}', '__proto__'],
    ];
    await broker.store([
      ...poison.map(([subject, payload]) => [subject, payload] as const),
      ['orders.good.status', '"after"'],
    ]);
    expect(await client.next()).toMatchObject({ data: 'after' });
    const letters = [];
    for await (const letter of dead) letters.push(letter);
    for (const [index, [subject, payload, reason]] of poison.entries()) {
      expect(letters[index]?.string()).toBe(payload);
      expect(letters[index]?.headers?.get('gatehouse-reason')).toContain(reason);
      expect(letters[index]?.headers?.get('gatehouse-subject')).toBe(subject);
    }
    expect(await counted('orders.*.status', 'dead_lettered')).toBe(before + 3);
    expect(server.logLines).toContainEqual(
      expect.objectContaining({ area: 'bridges', level: 'warn', reason: expect.stringContaining('__proto__') }),
    );
  });

  it('without a dead-letter subject is skipped and counted', async () => {
    await using client = await follower('order:after');
    await broker.store([
      ['many.bad', '[1e400]'],
      ['many.after', '1'],
    ]);
    expect(await client.next()).toMatchObject({ data: 1 });
    expect(await counted('many.>', 'skipped')).toBe(1);
  });

  it('goes to the dead-letter subject without its payload if the server takes no larger letter', async () => {
    await using client = await follower('order:large');
    await using connection = await broker.connect();
    const letters = await listen(connection, 'dead.orders', 1);
    const before = await counted('orders.*.status', 'emptied');
    // One byte less than the server takes, without headers.
    const payload = `["${'x'.repeat(1_048_576 - 12)}",1e400]`;
    await broker.store([
      ['orders.large.status', payload],
      ['orders.large.status', '"after"'],
    ]);
    expect(await client.next()).toMatchObject({ data: 'after' });
    for await (const letter of letters) {
      expect(letter.data).toHaveLength(0);
      expect(letter.headers?.get('gatehouse-reason')).toContain('1e400');
      expect(letter.headers?.get('gatehouse-payload-bytes')).toBe(String(payload.length));
    }
    expect(await counted('orders.*.status', 'emptied')).toBe(before + 1);
  });

  it('comes once from two nodes that share a durable', async () => {
    await using other = await startTestServer({ ...namespaces.environment, ...bridges.environment });
    await using here = await follower('order:shared');
    await using there = await follower('order:shared', other);
    const count = 40;
    await broker.store(Array.from({ length: count }, (_, n) => ['orders.shared.status', String(n)] as const));
    // Without Redis, what a node publishes reaches only its own subscribers.
    const read = (): number[] => [here, there].flatMap((client) => client.unread.map(({ data }) => data as number));
    await eventually('all have come', () => read().length >= count);
    expect(read().toSorted((one, two) => one - two)).toEqual(Array.from({ length: count }, (_, n) => n));
  });
});

describe('a message of a subject', () => {
  it('is published in the channel that its tokens and headers name', async () => {
    await using client = await follower('order:b.c-red');
    await using connection = await broker.connect();
    const given = headers();
    given.set('colour', 'red');
    connection.publish('plain.a.b.c', '{"x":1}', { headers: given });
    expect(await client.next()).toMatchObject({ data: { x: 1 } });
    connection.publish('plain.a.b.c', '1');
    await eventually(
      'the one without the header is skipped',
      async () => (await counted('plain.*.>', 'skipped')) === 1,
    );
  });
});

describe('a publication in a namespace with egress', () => {
  async function left(destination: string, outcome: string, at = server): Promise<number> {
    const labels = `destination="${destination}",outcome="${outcome}"`;
    return (await Scrape.of(at)).value(`gatehouse_bridge_publications_total{${labels}}`);
  }

  it('is stored in its stream once, in order, with its channel, publisher and id', async () => {
    await using connection = await broker.connect();
    await using client = await follower('room:7');
    const read = await listen(connection, 'out.rooms', 3);
    for (const data of [{ n: 0 }, 'text', null]) await client.request('publish', { channel: 'room:7', data });
    const messages = [];
    for await (const message of read) messages.push(message);
    expect(messages.map((message) => message.string())).toEqual(['{"n":0}', '"text"', 'null']);
    const ids = messages.map(({ headers: given }) => given?.get('gatehouse-id'));
    expect(ids).toEqual([1, 2, 3].map((seq) => expect.stringMatching(new RegExp(`^room:7:[^:]+:${seq}$`))));
    expect(messages[0]?.headers?.get('Nats-Msg-Id')).toBe(ids[0]);
    expect(messages[0]?.headers?.get('gatehouse-channel')).toBe('room:7');
    expect(messages[0]?.headers?.get('gatehouse-from')).toBe('alice');
    expect(messages[0]?.headers?.get('gatehouse-via')).toBe('gatehouse');
    expect(await left('out.rooms', 'sent')).toBe(3);
  });

  it('goes out whoever published it, also with a line break in the name', async () => {
    await using connection = await broker.connect();
    await using client = await connect(server.url, { claims: { sub: 'eve\r\nNats-Msg-Id: 1' } });
    const read = await listen(connection, 'out.rooms', 1);
    await client.request('publish', { channel: 'room:line-break', data: 1 });
    for await (const { headers: given } of read) {
      expect(given?.get('gatehouse-from')).toBe('eve%0D%0ANats-Msg-Id: 1');
      expect(given?.values('Nats-Msg-Id')).toHaveLength(1);
    }
  });

  it('goes out while other subjects refuse theirs, or belong to no stream', async () => {
    using file = bridgesFile({ nats: { servers: [broker.url] } });
    using spaces = namespacesFile({
      room: NAMESPACES.room,
      wrong: `subscribe: anyone, publish: anyone, ${HISTORY}, egress: { nats: out.wrong, stream: ORDERS }`,
      nowhere: `subscribe: anyone, publish: anyone, ${HISTORY}, egress: { nats: nowhere, stream: NOWHERE }`,
    });
    await using node = await startTestServer({ ...spaces.environment, ...file.environment });
    await eventually(
      'it is connected',
      async () => (await Scrape.of(node)).value('gatehouse_bridge_connected{broker="nats"}') === 1,
    );
    await using client = await connect(node.url);
    for (const namespace of ['wrong', 'nowhere', 'room']) {
      await client.request('publish', { channel: `${namespace}:1`, data: namespace });
    }
    await eventually('the good one has left', async () => (await left('out.rooms', 'sent', node)) === 1);
    await eventually('one is refused', async () => (await left('out.wrong', 'refused', node)) === 1);
    expect(node.logLines).toContainEqual(
      expect.objectContaining({ destination: 'out.wrong', reason: 'refused', detail: expect.stringMatching(/stream/) }),
    );
    await eventually(
      'the other waits',
      async () =>
        (await Scrape.of(node)).value('gatehouse_bridge_failures_total{bridge="nowhere"}') > 0 &&
        (await Scrape.of(node)).value('gatehouse_bridge_publications_waiting{broker="nats"}') === 1,
    );
  });

  it('is refused, and counted so, where the account may not publish', async () => {
    const user = '{ user: gate, password: pass, permissions: { publish: { deny: ["loud.all", "out.rooms"] } } }';
    await using own = await NatsServer.start(`authorization: { users: [${user}] }`);
    using file = bridgesFile({ nats: { servers: [own.url], user: 'gate', password: 'pass' } });
    using spaces = namespacesFile({
      room: NAMESPACES.room,
      loud: NAMESPACES.loud,
      free: 'subscribe: anyone, publish: anyone, egress: { nats: free.all }',
    });
    await using node = await startTestServer({ ...spaces.environment, ...file.environment });
    await eventually(
      'it is connected',
      async () => (await Scrape.of(node)).value('gatehouse_bridge_connected{broker="nats"}') === 1,
    );
    await using client = await connect(node.url);
    for (const namespace of ['loud', 'room', 'free']) {
      await client.request('publish', { channel: `${namespace}:1`, data: 1 });
    }
    await eventually('the allowed one has left', async () => (await left('free.all', 'sent', node)) === 1);
    await eventually(
      'that of the core subject is refused',
      async () => (await left('loud.all', 'refused', node)) === 1,
    );
    await eventually('that of the stream is refused', async () => (await left('out.rooms', 'refused', node)) === 1);
  });

  it('is refused, and counted so, if it is larger than the server takes', async () => {
    await using own = await NatsServer.start('max_payload: 2048');
    await own.addStream('OUT', 'out.>');
    using file = bridgesFile({ nats: { servers: [own.url] } });
    using rooms = namespacesFile({ room: NAMESPACES.room, loud: NAMESPACES.loud });
    await using node = await startTestServer({ ...rooms.environment, ...file.environment });
    await eventually(
      'it is connected',
      async () => (await Scrape.of(node)).value('gatehouse_bridge_connected{broker="nats"}') === 1,
    );
    await using client = await connect(node.url);
    for (const channel of ['room:1', 'loud:1']) {
      for (const data of ['small', 'x'.repeat(3_000), 'small']) await client.request('publish', { channel, data });
    }
    for (const subject of ['out.rooms', 'loud.all']) {
      await eventually('the small ones have left', async () => (await left(subject, 'sent', node)) === 2);
      await eventually('the large one is refused', async () => (await left(subject, 'refused', node)) === 1);
    }
  });

  it('leaves before the node ends, if a message was read for it', async () => {
    await using own = await NatsServer.start();
    await own.addStream('IN', 'in.>');
    await own.addStream('OUT', 'out.>');
    using file = bridgesFile({
      nats: { servers: [own.url] },
      in: [{ nats: 'in.>', stream: 'IN', durable: 'in', channel: 'room:{1}', in_flight: 100 }],
    });
    using rooms = namespacesFile({ room: NAMESPACES.room });
    const node = await startTestServer({ ...rooms.environment, ...file.environment });
    await using connection = await own.connect();
    for (let n = 0; n < 5_000; n += 1) connection.publish('in.1', String(n));
    await eventually('it has begun', async () => (await left('out.rooms', 'sent', node)) > 0);
    await node.close();
    const manager = await jetstreamManager(connection);
    await eventually('each has left, or waits in its stream', async () => {
      const { num_pending: unread, num_ack_pending: unsettled } = await manager.consumers.info('IN', 'in');
      const { state } = await manager.streams.info('OUT');
      return unread + unsettled + state.messages === 5_000;
    });
    expect(node.logLines.filter(({ reason }) => reason === 'dropped')).toEqual([]);
  });

  it('reaches subscribers of a core subject', async () => {
    await using connection = await broker.connect();
    const read = await listen(connection, 'loud.all', 1);
    await using client = await follower('loud:1');
    client.send({ type: 'publish', data: { channel: 'loud:1', data: 1 } });
    for await (const message of read) expect(message.string()).toBe('1');
  });

  it('does not come in again where it went out', async () => {
    await using client = await follower('ring:1');
    const before = await counted('ring.>', 'own');
    await client.request('publish', { channel: 'ring:1', data: 'round' });
    await eventually('it is left out', async () => (await counted('ring.>', 'own')) === before + 1);
    expect(await left('ring.all', 'sent')).toBe(1);
  });

  it('does not go out again where it came from', async () => {
    const given = headers();
    given.set('gatehouse-channel', '2');
    await using client = await follower('ring:2');
    await using connection = await broker.connect();
    connection.publish('ring.all', '"in"', { headers: given });
    expect(await client.next()).toMatchObject({ data: 'in' });
    await eventually('it is held back', async () => (await left('ring.all', 'circular')) === 1);
  });

  it('waits while the broker is away, and is stored once when it is back', async () => {
    await using own = await NatsServer.start();
    await own.addStream('OUT', 'out.>');
    using file = bridgesFile({ nats: { servers: [own.url] } });
    using rooms = namespacesFile({ room: NAMESPACES.room });
    await using node = await startTestServer({ ...rooms.environment, ...file.environment });
    await eventually(
      'it is connected',
      async () => (await Scrape.of(node)).value('gatehouse_bridge_connected{broker="nats"}') === 1,
    );
    await own.kill();
    await using client = await follower('room:1', node);
    for (let n = 0; n < 20; n += 1) await client.request('publish', { channel: 'room:1', data: n });
    expect((await Scrape.of(node)).value('gatehouse_bridge_publications_waiting{broker="nats"}')).toBe(20);
    await own.restart();
    await eventually('they have left', async () => (await left('out.rooms', 'sent', node)) === 20);
    await using connection = await own.connect();
    const { state } = await (await jetstreamManager(connection)).streams.info('OUT');
    expect(state.messages).toBe(20);
  });

  it('is dropped and counted when the node ends before the broker is back', async () => {
    using file = bridgesFile({ nats: { servers: ['nats://127.0.0.1:1'] } });
    using rooms = namespacesFile({ room: NAMESPACES.room });
    const node = await startTestServer({ ...rooms.environment, ...file.environment });
    await using client = await follower('room:1', node);
    await client.request('publish', { channel: 'room:1', data: 1 });
    await node.close();
    expect(node.logLines).toContainEqual(
      expect.objectContaining({ area: 'bridges', level: 'error', destination: 'out.rooms', reason: 'dropped' }),
    );
  });
});

describe('the bridge', () => {
  it('starts without its broker, and says that it tries again until it is there', async () => {
    await using late = await NatsServer.prepare();
    using file = bridgesFile({ nats: { servers: [late.url] }, in: [ORDERS] });
    using orders = namespacesFile({ order: NAMESPACES.order });
    await using node = await startTestServer({ ...orders.environment, ...file.environment });
    const isTold = (text: RegExp) =>
      node.logLines.some(({ area, reason }) => area === 'bridges' && text.test(String(reason)));
    await eventually('the log says so', () => isTold(/connection refused/i));
    expect((await Scrape.of(node)).value('gatehouse_bridge_connected{broker="nats"}')).toBe(0);
    await late.restart();
    await eventually('it misses the stream', () => isTold(/stream not found/));
    await late.addStream('ORDERS', 'orders.>');
    await late.addStream('DEAD', 'dead.>');
    await using client = await follower('order:1', node);
    await late.store([['orders.1.status', '"found"']]);
    expect(await client.next()).toMatchObject({ data: 'found' });
  });

  it('loses nothing and repeats nothing when its broker is killed, and keeps the order', async () => {
    await using own = await NatsServer.start();
    await own.addStream('ORDERS', 'orders.>');
    using file = bridgesFile({ nats: { servers: [own.url] }, in: [ORDERS] });
    await using node = await startTestServer({ ...namespaces.environment, ...file.environment });
    await using client = await follower('order:1', node);
    for (let round = 0; round < 2; round += 1) {
      await own.store(Array.from({ length: 50 }, (_, n) => ['orders.1.status', String(round * 50 + n)] as const));
      await own.kill();
      await own.restart();
    }
    for (let n = 0; n < 100; n += 1) expect(await client.next()).toMatchObject({ data: n });
  });
});
