import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MessageContext } from '../../src/dispatch/calls/message-context.js';
import { CurrentMessage } from '../../src/dispatch/calls/parameter-decorators.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { gate, type Gate } from '../support/gate.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

let door: Gate = gate();
let handled: unknown[] = [];
let doors = new Map<string, Gate>();
beforeEach(() => {
  door = gate();
  doors = new Map(['a', 'bad', 'c'].map((name) => [name, gate()]));
  handled = [];
});

@WebSocketGateway()
class OrderGateway {
  @SubscribeMessage('wait')
  async wait(@MessageBody() milliseconds: number): Promise<number> {
    await pause(milliseconds);
    return milliseconds;
  }

  /** Lets the next one begin at once, and is answered when its own door opens. */
  @SubscribeMessage('far')
  async far(@MessageBody() name: string, @CurrentMessage() context: MessageContext): Promise<string> {
    handled.push(`${name} begins`);
    context.afterReply(() => handled.push(`${name} answered`));
    context.letNextBegin();
    context.letNextBegin();
    await (doors.get(name) ?? door).opened;
    if (name.startsWith('bad')) throw new Error(name);
    return name;
  }

  @SubscribeMessage('hang')
  async hang(): Promise<void> {
    await door.opened;
  }

  @SubscribeMessage('count')
  count(@MessageBody() data: { n: number }): number {
    handled.push(data.n);
    return data.n;
  }

  @SubscribeMessage('fail')
  fail(): never {
    throw new Error('failed');
  }
}

const far = (client: TestClient, ...names: string[]): void => {
  for (const name of names) client.send({ type: 'far', id: name, data: name });
};

const start = (environment = {}): Promise<TestServer> => startTestServer(environment, [feature([OrderGateway])]);

async function take(client: TestClient, count: number): Promise<Message[]> {
  const taken: Message[] = [];
  while (taken.length < count) taken.push(await client.next());
  return taken;
}

const sessionOf = (server: TestServer) => {
  const [session] = server.app.get(SessionRegistry, { strict: false });
  if (session === undefined) throw new Error('there is no session');
  return session;
};

describe('the messages of one connection', () => {
  it('are answered in order, however long each takes, errors in their place', async () => {
    await using server = await start();
    await using client = await connect(server.url);
    const milliseconds = [30, 0, 15, 1, 5];
    milliseconds.forEach((data, id) => client.send({ type: 'wait', id, data }));
    client.send({ type: 'fail', id: 5 });
    client.send({ type: 'nobody.knows', id: 6 });
    client.send('not json');
    client.send({ type: 'echo', id: 7 });
    const replies = await take(client, 9);
    expect(replies.map(({ id, code }) => id ?? code)).toEqual([0, 1, 2, 3, 4, 5, 6, 'INVALID_MESSAGE_FORMAT', 7]);
    expect(replies.slice(0, 5).map(({ data }) => data)).toEqual(milliseconds);
  });

  it('do not wait for another connection', async () => {
    await using server = await start();
    await using stuck = await connect(server.url);
    await using free = await connect(server.url);
    stuck.send({ type: 'hang', id: 'h' });
    stuck.send({ type: 'echo', id: 'behind' });
    for (let id = 0; id < 20; id += 1) expect(await free.request('echo', id, id)).toMatchObject({ id });
    expect(stuck.unread).toEqual([]);
    door.open();
    expect(await take(stuck, 2)).toMatchObject([{ id: 'h' }, { id: 'behind' }]);
  });
});

describe('a client that sends while its handler hangs', () => {
  const padding = 'x'.repeat(1_000);
  const COUNT = 20_000;

  it('is paused, costs little memory, and gets every answer in order', async () => {
    await using server = await start({ MAX_PENDING_MESSAGES: '10' });
    await using client = await connect(server.url);
    client.send({ type: 'hang', id: 'h' });
    for (let n = 0; n < COUNT; n += 1) client.send({ type: 'count', id: n, data: { n, padding } });
    const { connection } = sessionOf(server);
    await eventually('reading pauses', () => connection.isPaused);

    await using other = await connect(server.url);
    for (let n = 0; n < 50; n += 1) await other.request('echo', n);
    expect(connection.isPaused).toBe(true);
    // 20 MB were sent; what was taken in is one read of the socket beyond the bound.
    expect(sessionOf(server).messagesReceived).toBeLessThan(500);
    expect(handled).toEqual([]);

    door.open();
    expect(await client.next()).toMatchObject({ id: 'h' });
    const replies = await take(client, COUNT);
    expect(replies.every(({ id, data }, n) => id === n && data === n)).toBe(true);
    expect(handled.length).toBe(COUNT);
    expect(connection.isPaused).toBe(false);
  });

  it('is paused by bytes too, however few the messages', async () => {
    await using server = await start({ MAX_PENDING_MESSAGES: '1000000' });
    await using client = await connect(server.url);
    client.send({ type: 'hang', id: 'h' });
    const large = 'x'.repeat(100_000);
    for (let n = 0; n < 100; n += 1) client.send({ type: 'count', id: n, data: { n, large } });
    const { connection } = sessionOf(server);
    await eventually('reading pauses', () => connection.isPaused);
    expect(sessionOf(server).messagesReceived).toBeLessThan(20);
    door.open();
    expect((await take(client, 101)).map(({ id }) => id)).toEqual(['h', ...Array.from({ length: 100 }, (_, n) => n)]);
  });

  it('is still alive after the heartbeat’s timeout', async () => {
    await using server = await start({
      MAX_PENDING_MESSAGES: '1',
      HEARTBEAT_INTERVAL_MS: '100',
      HEARTBEAT_TIMEOUT_MS: '50',
    });
    await using client = await connect(server.url);
    client.send({ type: 'hang', id: 'h' });
    client.send({ type: 'count', id: 1, data: { n: 1 } });
    await eventually('reading pauses', () => sessionOf(server).connection.isPaused);
    let pings = 0;
    await new Promise<void>((resolve) => {
      client.socket.on('ping', () => {
        pings += 1;
        if (pings === 4) resolve();
      });
    });
    door.open();
    expect(await take(client, 2)).toMatchObject([{ id: 'h' }, { id: 1 }]);
  });
});

describe('a connection that ends', () => {
  it('while its handlers run leaves nothing, once what waits is handled', async () => {
    await using server = await start();
    await using client = await connect(server.url);
    const registry = server.app.get(SessionRegistry, { strict: false });
    client.send({ type: 'hang', id: 'h' });
    for (let n = 0; n < 50; n += 1) client.send({ type: 'count', id: n, data: { n } });
    await eventually('all have come', () => sessionOf(server).messagesReceived === 51);
    client.socket.terminate();
    await client.closed;
    door.open();
    await eventually('the session is gone', () => registry.size === 0);
    expect(handled).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('because the server closed it: nothing that comes later is handled', async () => {
    await using server = await start();
    await using client = await connect(server.url);
    client.socket.pause();
    sessionOf(server).close('ended_by_operator');
    for (let n = 0; n < 50; n += 1) client.send({ type: 'count', id: n, data: { n } });
    await using other = await connect(server.url);
    for (let n = 0; n < 5; n += 1) await other.request('wait', 5);
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 4409 });
    expect(handled).toEqual([]);
  });

  it('by leaving gets the answers to all it had sent before', async () => {
    await using server = await start();
    await using client = await connect(server.url);
    client.send({ type: 'hang', id: 'h' });
    for (let n = 0; n < 10; n += 1) client.send({ type: 'count', id: n, data: { n } });
    await eventually('all have come', () => sessionOf(server).messagesReceived === 11);
    sessionOf(server).closeWhenAnswered('draining', '77');
    expect(sessionOf(server).isLeaving).toBe(true);
    client.send({ type: 'count', id: 'too late', data: { n: 'too late' } });
    await using other = await connect(server.url);
    await other.request('wait', 10);
    door.open();
    expect((await take(client, 11)).map(({ id }) => id)).toEqual(['h', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await client.closed).toEqual({ code: 1012, reason: '77' });
    expect(client.unread).toEqual([]);
    expect(handled).not.toContain('too late');
  });
});

describe('a message that lets the next one begin', () => {
  it('is answered in its place, whichever is done first; errors too', async () => {
    await using server = await start();
    await using client = await connect(server.url);
    far(client, 'a', 'bad', 'c');
    client.send({ type: 'nobody.knows', id: 'unknown' });
    client.send('not json');
    client.send({ type: 'count', id: 'count', data: { n: 1 } });
    await eventually('all have begun', () => handled.includes(1));
    expect(handled).toEqual(['a begins', 'bad begins', 'c begins', 1]);
    for (const name of ['c', 'bad', 'a']) doors.get(name)?.open();
    const replies = await take(client, 6);
    expect(replies.map(({ id, code }) => id ?? code)).toEqual([
      'a',
      'bad',
      'c',
      'unknown',
      'INVALID_MESSAGE_FORMAT',
      'count',
    ]);
    expect(replies.map(({ type }) => type)).toEqual([
      'far_reply',
      'error',
      'far_reply',
      'error',
      'error',
      'count_reply',
    ]);
    expect(handled.slice(4)).toEqual(['a answered', 'bad answered', 'c answered']);
  });

  it('does so for no more than a bound, and reading pauses behind it', async () => {
    await using server = await start({ MAX_PENDING_MESSAGES: '4' });
    await using client = await connect(server.url);
    const names = Array.from({ length: 100 }, (_, n) => `n${n}`);
    far(client, ...names);
    await eventually('as many as may have begun', () => handled.length === 65);
    await eventually('reading pauses', () => sessionOf(server).connection.isPaused);
    expect(handled.length).toBe(65);
    door.open();
    expect((await take(client, 100)).map(({ id }) => id)).toEqual(names);
  });

  it('keeps the session until it is answered: a drain waits for it', async () => {
    const server = await start();
    await using client = await connect(server.url);
    far(client, 'a');
    await eventually('it has begun', () => handled.length === 1);
    const closing = server.close();
    await pause(100);
    doors.get('a')?.open();
    expect(await client.next()).toMatchObject({ type: 'far_reply', data: 'a' });
    expect((await client.closed).code).toBe(1012);
    await closing;
  });

  it('whose client goes meanwhile disturbs nobody', async () => {
    await using server = await start();
    const client = await connect(server.url);
    far(client, 'a', 'bad', 'c');
    await eventually('all have begun', () => handled.length === 3);
    await client[Symbol.asyncDispose]();
    for (const name of ['bad', 'a', 'c']) doors.get(name)?.open();
    await using other = await connect(server.url);
    expect(await other.request('echo', 1)).toMatchObject({ data: 1 });
  });
});
