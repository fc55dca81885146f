// @module-tag redis
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReplayProtected } from '../../src/access/guards/replay-protected.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { KEY, OTHER_KEY, sealed, unsealed } from '../support/fernet.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { connect, type Message } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';

const MARK = 'not-to-be-seen-in-redis';
let calls = 0;

@RealtimeGateway()
class PayGateway {
  @ReplayProtected()
  @SubscribeMessage('pay')
  pay(): number {
    calls += 1;
    return calls;
  }
}

@RealtimeGateway()
class EchoGateway {
  @ReplayProtected()
  @SubscribeMessage('pay.echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}

let namespaces: NamespacesFile;
let nodes: TestNodes;

beforeAll(async () => {
  namespaces = namespacesFile({
    vault:
      'subscribe: anyone, publish: anyone, encryption: required, replay_protection: true, history: { size: 9, age: 1h }',
    live: 'subscribe: anyone, publish: anyone, encryption: required',
  });
  const environment = { ...namespaces.environment, ENCRYPTION_KEYS: `${KEY},${OTHER_KEY}` };
  nodes = await TestNodes.start(['a', 'b'], environment, [feature([PayGateway, EchoGateway])]);
});
afterAll(async () => {
  await nodes[Symbol.asyncDispose]();
  namespaces[Symbol.dispose]();
});

/** The reply; publications that come before it are passed over. */
async function replyTo(client: { next(): Promise<Message> }, id: string): Promise<Message> {
  for (;;) {
    const message = await client.next();
    if (message['id'] === id) return message;
  }
}

/** Everything that Redis holds, as text. */
async function contentsOf(redis: Redis): Promise<string> {
  const keys = await redis.keys('*');
  const dumps = await Promise.all(
    keys.map(async (key) =>
      (await redis.type(key)) === 'stream'
        ? JSON.stringify(await redis.xrange(key, '-', '+'))
        : String(await redis.dumpBuffer(key)),
    ),
  );
  return [...keys, ...dumps].join('\n');
}

describe('a namespace that requires encryption, on several nodes', () => {
  it.each(['vault:shared', 'live:shared'])(
    '%s delivers the token that one node made on every node',
    async (channel) => {
      await using here = await connect(nodes.at(0).url);
      await using there = await connect(nodes.at(1).url);
      for (const client of [here, there]) await client.request('subscribe', { channel });
      const data = sealed({ channel, data: { text: MARK } });
      here.send({ type: 'publish', id: `p-${channel}`, ts: Date.now(), enc: 'fernet', data });
      const far = await there.next();
      expect(far).toMatchObject({ type: 'message', channel, enc: 'fernet' });
      expect(unsealed(far['data'])).toEqual({ text: MARK });
      await eventually('the publisher gets it too', () => here.unread.some(({ type }) => type === 'message'));
      expect(here.unread.find(({ type }) => type === 'message')?.['data']).toBe(far['data']);
    },
  );

  it('has nothing that can be read in Redis, and every node reads it back', async () => {
    await using client = await connect(nodes.at(0).url);
    const data = sealed({ channel: 'vault:rest', data: { text: MARK } });
    client.send({ type: 'publish', id: 'rest', ts: Date.now(), enc: 'fernet', data });
    expect(unsealed((await replyTo(client, 'rest'))['data'])).toMatchObject({ seq: 1 });
    const redis = new Redis(nodes.redis.url);
    const contents = await contentsOf(redis);
    redis.disconnect();
    expect(contents).toContain('vault:rest');
    expect(contents).not.toContain(MARK);

    await using other = await connect(nodes.at(1).url);
    const { publications } = (await other.request('history', { channel: 'vault:rest' }))['data'] as {
      readonly publications: readonly Message[];
    };
    expect(publications).toMatchObject([{ seq: 1, enc: 'fernet' }]);
    expect(unsealed(publications[0]?.['data'])).toEqual({ text: MARK });
  });
});

describe('a protected message, on several nodes', () => {
  it('is carried out by one of them, and answered so by the other', async () => {
    await using here = await connect(nodes.at(0).url);
    await using there = await connect(nodes.at(1).url);
    calls = 0;
    const message = { type: 'pay', id: 'once', ts: Date.now(), data: { amount: 5 } };
    here.send(message);
    expect(await here.next()).toMatchObject({ data: 1 });
    there.send(message);
    expect(await there.next()).toMatchObject({ type: 'pay_reply', data: 1 });
    there.send({ ...message, data: { amount: 6 } });
    expect(await there.next()).toMatchObject({ code: 'DUPLICATE_MESSAGE' });
    expect(calls).toBe(1);
  });

  it('has its answer kept encrypted where it came so, and given to nobody in plain', async () => {
    await using here = await connect(nodes.at(0).url, { claims: { sub: 'sealed' } });
    await using there = await connect(nodes.at(1).url, { claims: { sub: 'sealed' } });
    const message = { type: 'pay.echo', id: 'sealed-1', ts: Date.now(), enc: 'fernet' };
    const data = { pin: MARK };
    here.send({ ...message, data: sealed(data) });
    expect(unsealed((await replyTo(here, 'sealed-1'))['data'])).toEqual(data);
    const redis = new Redis(nodes.redis.url);
    const packed = Buffer.from(MARK).toString('base64').slice(2, -4);
    const contents = await contentsOf(redis);
    redis.disconnect();
    expect(contents).not.toContain(MARK);
    expect(contents).not.toContain(packed);
    there.send({ ...message, data: sealed(data) });
    expect(unsealed((await replyTo(there, 'sealed-1'))['data'])).toEqual(data);
    there.send({ ...message, enc: undefined, data });
    expect(await replyTo(there, 'sealed-1')).toMatchObject({ code: 'DUPLICATE_MESSAGE' });
  });

  it('is carried out by exactly one of them when it comes to both at one time', async () => {
    await using here = await connect(nodes.at(0).url);
    await using there = await connect(nodes.at(1).url);
    calls = 0;
    const ids = Array.from({ length: 50 }, (_, index) => `race-${index}`);
    const ts = Date.now();
    for (const id of ids) for (const client of [here, there]) client.send({ type: 'pay', id, ts });
    for (const _ of ids) for (const client of [here, there]) await client.next();
    expect(calls).toBe(ids.length);
  });

  it('has its publish made once, whichever node it comes to', async () => {
    await using here = await connect(nodes.at(0).url);
    await using there = await connect(nodes.at(1).url);
    const data = sealed({ channel: 'vault:once', data: 1 });
    const message = { type: 'publish', id: 'twice', ts: Date.now(), enc: 'fernet', data };
    for (const client of [here, there]) {
      client.send(message);
      expect(unsealed((await client.next())['data'])).toMatchObject({ channel: 'vault:once', seq: 1 });
    }
  });

  // The last: there is no Redis any more.
  it('is refused with SERVER_BUSY and carried out by nobody while Redis is gone', async () => {
    await using client = await connect(nodes.at(0).url);
    calls = 0;
    await nodes.redis.kill();
    client.send({ type: 'pay', id: 'away', ts: Date.now() });
    expect(await client.next()).toMatchObject({ code: 'SERVER_BUSY', retryAfter: expect.any(Number) as number });
    expect(calls).toBe(0);
    expect(await client.request('echo', 'goes on')).toMatchObject({ data: 'goes on' });
  });
});
