import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { Module } from '@nestjs/common';
import { Channels, CurrentSession, RealtimeGateway, type Session } from 'gatehouse';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { GatehouseModule } from '../../src/gatehouse.module.js';
import { createHandler } from '../../src/serverless/create-handler.js';
import { TestClient } from '../../src/testing/test-client.js';
import { TestDynamo } from '../support/dynamodb.js';
import { eventually } from '../support/eventually.js';
import { startFunction, type TestFunction } from '../support/serverless-server.js';
import { connect, open } from '../support/test-client.js';
import { mintToken, TEST_ENVIRONMENT } from '../support/test-server.js';

let greeted = 0;
let left: number[] = [];

@RealtimeGateway()
class ProbeGateway {
  constructor(private readonly channels: Channels) {}

  handleConnection(client: { send(text: string): void }): void {
    greeted += 1;
    client.send('{"type":"welcome"}');
  }

  handleDisconnect(_client: unknown, { code }: { readonly code: number }): void {
    left.push(code);
  }

  @SubscribeMessage('large')
  large(@MessageBody() bytes: number): string {
    return 'x'.repeat(bytes);
  }

  @SubscribeMessage('never')
  never(): Promise<never> {
    return new Promise(() => {});
  }

  @SubscribeMessage('set_by_gateway')
  set(): unknown {
    return this.channels.state('twin:a').set('a', 1);
  }

  @SubscribeMessage('lifetime')
  lifetime(@CurrentSession() { lifetime }: Session): unknown {
    return lifetime;
  }
}

@Module({ providers: [ProbeGateway] })
class ProbeFeature {}

const join = (fn: TestFunction, claims: Record<string, unknown> = {}): Promise<TestClient> =>
  TestClient.connect(fn.url, mintToken(claims));

describe('a function behind API Gateway', () => {
  let dynamo: TestDynamo;
  let fn: TestFunction;
  beforeAll(async () => {
    dynamo = await TestDynamo.start();
    fn = await startFunction({ dynamo, feature: ProbeFeature, routes: ['echo', 'large'] });
  });
  afterAll(async () => {
    await fn[Symbol.asyncDispose]();
    await dynamo[Symbol.asyncDispose]();
  });

  it('posts nothing in $connect: what a gateway sends there is dropped, and counted', async () => {
    const before = greeted;
    const { posts } = fn.gateway;
    await using client = await join(fn);
    expect(greeted).toBe(before + 1);
    expect(fn.gateway.posts).toBe(posts);
    await fn.counted('sent_in_connect', fn.gateway.connects);
    expect(fn.outcome('gone')).toBe(0);
    expect(await client.request('echo', 1)).toBe(1);
  });

  it('selects v1.json, and refuses a client that offers only what API Gateway cannot carry', async () => {
    await using both = await connect(fn.url, { protocols: ['v1.binary', 'v1.json'] });
    expect(both.socket.protocol).toBe('v1.json');
    const refused = open(fn.url, { protocols: ['v2.proto'] });
    const [error] = (await once(refused.socket, 'error')) as [Error];
    expect(error.message).toContain('400');
  });

  it('takes a token from the query and from the subprotocols, as a browser brings it', async () => {
    await using query = await connect(`${fn.url}?token=${mintToken({ sub: 'q' })}`, { claims: false });
    expect(await query.request('hello')).toMatchObject({ data: { userId: 'q' } });
    const protocols = ['v1.json', `bearer.${mintToken({ sub: 'p' })}`];
    await using offered = await connect(fn.url, { claims: false, protocols });
    expect(await offered.request('hello')).toMatchObject({ data: { userId: 'p' } });
  });

  it('lets the name of a route stand for a type that is missing', async () => {
    await using client = await connect(fn.url);
    client.send({ action: 'echo', id: 1, data: 'routed' });
    expect(await client.next()).toMatchObject({ type: 'echo_reply', id: 1, data: 'routed' });
  });

  it('answers a reply of more than 128 KB with MESSAGE_TOO_LARGE, and posts what fits', async () => {
    await using client = await join(fn);
    expect(await client.request('large', 100_000)).toHaveLength(100_000);
    await expect(client.request('large', 140_000)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    await fn.counted('post_too_large', 1);
    expect(fn.logLines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is closed by API Gateway for a frame of more than 32 KB, and for a binary one', async () => {
    await using large = await connect(fn.url);
    large.send({ type: 'echo', data: 'x'.repeat(33_000) });
    expect((await large.closed).code).toBe(1009);
    await using binary = await connect(fn.url);
    binary.send(Buffer.from([1, 2]));
    expect((await binary.closed).code).toBe(1003);
  });

  it('takes a message of several frames', async () => {
    await using client = await connect(fn.url);
    const text = JSON.stringify({ type: 'echo', id: 1, data: 'y'.repeat(60_000) });
    client.socket.send(text.slice(0, 30_000), { fin: false });
    client.socket.send(text.slice(30_000), { fin: true });
    expect(await client.next()).toMatchObject({ id: 1, data: 'y'.repeat(60_000) });
  });

  it('answers what is no event with 400, and counts it', async () => {
    const records = { Records: [{ eventSource: 'aws:sqs', body: 'x' }] };
    const context = {
      eventType: 'MESSAGE',
      routeKey: '$default',
      connectionId: 'a=',
      domainName: 'a.example',
      stage: 'a',
    };
    const damaged = [
      { requestContext: { eventType: 'MESSAGE' } },
      { requestContext: { ...context, eventType: 'PING' } },
      { requestContext: { ...context, connectionId: 7 } },
      { requestContext: context, body: { type: 'echo' } },
      { requestContext: context, headers: { Origin: 1 } },
      { gatehouse: 'fan-out', endpoint: 'http://127.0.0.1:1', payload: '' },
      { gatehouse: 'fan-out', endpoint: 'http://127.0.0.1:1', payload: '', ids: [1] },
    ];
    const events = [{}, null, 'text', 7, [], records, ...damaged];
    for (const event of events) expect(await fn.gateway.invoke(event)).toMatchObject({ statusCode: 400 });
    await fn.counted('not_an_event', events.length);
    expect(fn.outcome('failed')).toBe(0);
  });

  it('closes a connection that has no row any more', async () => {
    await using client = await connect(fn.url, { claims: { sub: 'rowless' } });
    const id = fn.gateway.connectionIds.at(-1) ?? '';
    await deleteRow(fn, id);
    client.send({ type: 'echo', id: 1 });
    await client.closed;
    await fn.counted('unknown_connection', 1);
  });

  it('closes a connection whose token has expired', async () => {
    await using client = await connect(fn.url, { claims: { exp: Math.floor(Date.now() / 1_000) + 3 } });
    const id = fn.gateway.connectionIds.at(-1) ?? '';
    await changePrincipal(fn, id, { expiresAt: Date.now() - 60_000 });
    client.send({ type: 'echo', id: 1 });
    await client.closed;
    await fn.counted('expired_token', 1);
  });

  it('deletes the rows of a connection that API Gateway cuts after two hours', async () => {
    await using other = await startFunction({ dynamo, feature: ProbeFeature });
    left = [];
    await using client = await join(other);
    await client.request('subscribe', { channel: 'room:old', presence: true });
    expect(await rowsOf(other)).toEqual([1, 2]);
    for (let minutes = 0; minutes < 115; minutes += 5) {
      other.gateway.pass(300_000);
      await client.request('ping');
    }
    other.gateway.pass(300_000);
    expect((await client.closed).code).toBe(1001);
    await eventually('no row is left', async () => (await rowsOf(other)).every((count) => count === 0));
    await other.gateway.idle();
    expect(left).toEqual([1001]);
  });

  it('loses a connection that is silent for ten minutes', async () => {
    await using other = await startFunction({ dynamo });
    await using client = await join(other);
    other.gateway.pass(599_000);
    expect(await client.request('echo', 1)).toBe(1);
    other.gateway.pass(600_000);
    expect((await client.closed).code).toBe(1001);
  });

  it('ends an invocation shortly before Lambda does, and counts the handler that has no reply', async () => {
    await using other = await startFunction({ dynamo, feature: ProbeFeature, remainingMs: 1_000 });
    await using client = await join(other);
    client.send({ type: 'never', id: 1 });
    await other.counted('out_of_time', 1);
  });

  it('refuses settings that need a server, and a module that is one', async () => {
    const environment = { ...TEST_ENVIRONMENT, REDIS_URL: 'redis://127.0.0.1:1', EDGE_CENTRE: 'on' };
    const message = /REDIS_URL needs a server[^]*EDGE_CENTRE needs a server/;
    expect(() => createHandler(ProbeFeature, { environment })).toThrow(message);
    const settings = { JWT_SECRET: 'a-secret-of-tests-with-enough-characters', NODE_ENV: 'test' };
    const feature = { module: class {}, imports: [GatehouseModule.forRoot({ settings })] };
    const logOutput = new PassThrough();
    const handler = createHandler(feature, { environment: TEST_ENVIRONMENT, logOutput });
    await expect(handler({})).rejects.toThrow('imports GatehouseModule');
    await handler.started.catch(() => {});
  });

  it('refuses what it has not, and says so', async () => {
    await using client = await join(fn);
    const refusal = { code: 'FORBIDDEN', message: expect.stringContaining('serverless') as string };
    await expect(client.request('subscribe', { channel: 'twin:a' })).rejects.toMatchObject(refusal);
    const requests: readonly [string, object][] = [
      ['state.set', { channel: 'twin:a', key: 'a', patch: 1 }],
      ['state.remove', { channel: 'twin:a', key: 'a' }],
      ['state.next', { channel: 'twin:a' }],
      ['area', { channel: 'fleet:a', box: [0, 0, 1, 1] }],
      ['area.next', { channel: 'fleet:a' }],
      ['set_by_gateway', {}],
    ];
    for (const [type, data] of requests) await expect(client.request(type, data)).rejects.toMatchObject(refusal);
  });

  it('leaves a client that is refused without a row', async () => {
    await using other = await startFunction({ dynamo });
    const refused = open(other.url, { claims: false });
    await refused.closed;
    expect(refused.socket.readyState).toBe(WebSocket.CLOSED);
    expect(await rowsOf(other)).toEqual([0, 0]);
    await other.counted('refused', 1);
  });
});

/** Rows of connections, and of subscriptions. */
async function rowsOf({ dynamo, tables }: TestFunction): Promise<readonly number[]> {
  return [await dynamo.countRows(tables.connections), await dynamo.countRows(tables.subscriptions)];
}

async function deleteRow({ dynamo, tables }: TestFunction, connectionId: string): Promise<void> {
  await dynamo.deleteRow(tables.connections, { connectionId });
}

async function changePrincipal({ dynamo, tables }: TestFunction, connectionId: string, change: object): Promise<void> {
  await dynamo.change(tables.connections, { connectionId }, 'principal', change);
}
