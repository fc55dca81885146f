import { Injectable } from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { connect as connectTcp } from 'node:net';
import { finalize, Observable, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { BeforeSubscribe, type ChannelRequest } from '../../src/channels/channel-hooks.js';
import { ChannelsModule } from '../../src/channels/channels.module.js';
import { CurrentMessage } from '../../src/dispatch/calls/parameter-decorators.js';
import type { MessageContext } from '../../src/dispatch/calls/message-context.js';
import { GatehouseError } from '../../src/protocol/gatehouse-error.js';
import type { Connection } from '../../src/socket/connection.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { fetch } from '../support/fetch.js';
import { sharedServer, sharedServers } from '../support/shared-server.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const PROBE = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';

/** Sends bytes, and keeps its own side open whatever the server does. */
function half(port: number, bytes: string) {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.resume();
  socket.write(bytes);
  return socket;
}

/** The next message with this id; what comes before it is passed over. */
async function answerTo(client: TestClient, type: string, data: unknown, id = `${type}-${Math.random()}`) {
  client.send({ type, id, data });
  for (;;) {
    const message = await client.next();
    if (message.id === id) return message;
  }
}

@WebSocketGateway()
class FaultyGateway {
  @SubscribeMessage('faulty.proxy')
  proxy(): object {
    return new Proxy({}, { get: (_target, key) => { throw new Error(`no field ${String(key)}`); } }); // oxfmt-ignore
  }

  @SubscribeMessage('faulty.throw')
  throw(): never {
    throw new Proxy({}, { getPrototypeOf: () => { throw new Error('no prototype'); } }); // oxfmt-ignore
  }

  @SubscribeMessage('faulty.finalize')
  finalize(): Observable<unknown> {
    return timer(10).pipe(
      finalize(() => {
        throw new Error('clean-up failed');
      }),
    );
  }

  @SubscribeMessage('faulty.teardown')
  teardown(): Observable<unknown> {
    return new Observable((subscriber) => {
      setTimeout(() => {
        subscriber.next(1);
        subscriber.complete();
      }, 10);
      return () => {
        throw new Error('clean-up failed');
      };
    });
  }

  @SubscribeMessage('faulty.step')
  step(@CurrentMessage() context: MessageContext): void {
    context.afterReply(() => {
      throw new Error('step failed');
    });
  }

  @SubscribeMessage('faulty.reason')
  reason(@ConnectedSocket() socket: Connection): void {
    socket.close(4000, 'x'.repeat(124));
  }

  @SubscribeMessage('faulty.code')
  code(@ConnectedSocket() socket: Connection): void {
    socket.close(1005);
  }
}

@Injectable()
class OnlyAlice {
  @BeforeSubscribe('room')
  check({ session }: ChannelRequest): void {
    if (session.userId !== 'alice') throw new GatehouseError('FORBIDDEN');
  }
}

describe('a hostile HTTP client', () => {
  it('does not end the process by a request that offers h2c behind one that is not answered yet', async () => {
    const server = await serverWith();
    const socket = half(server.port, `GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n${PROBE}`);
    await new Promise((resolve) => socket.once('close', resolve).once('end', () => socket.destroy()));
    expect((await fetch(`${server.http}/health`)).status).toBe(200);
  });

  it('does not keep the socket of an h2c request that was answered', async () => {
    const server = await serverWith();
    const socket = half(server.port, PROBE.replace('Connection: Upgrade', 'Connection: Upgrade, close'));
    await new Promise((resolve) => socket.once('end', resolve));
    const count = () =>
      new Promise<number>((resolve) => server.app.getHttpServer().getConnections((_error, open) => resolve(open)));
    await eventually('the socket is let go', async () => (await count()) === 0);
    socket.destroy();
  });
});

describe('faulty code of an application', () => {
  const faulty = sharedServer({}, [feature([FaultyGateway])]);

  it.each(['proxy', 'throw', 'finalize', 'teardown', 'step', 'reason', 'code'])(
    'does not end the process: %s',
    async (what) => {
      const server = faulty();
      const earlier = server.logLines.length;
      await using client = await connect(server.url);
      expect(await answerTo(client, `faulty.${what}`, undefined)).toBeDefined();
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect((await answerTo(client, 'ping', undefined)).type).toBe('ping_reply');
      expect(server.logLines.slice(earlier).some(({ msg }) => msg === 'handler failed')).toBe(true);
    },
  );
});

describe('channels under odd requests', () => {
  it('take null in an optional field for absent', async () => {
    const server = await serverWith();
    await using alice = await connect(server.url);
    const room = { channel: 'room:nulls' };
    expect((await answerTo(alice, 'subscribe', { ...room, since: null, previousSession: null })).type).toBe(
      'subscribe_reply',
    );
    for (const seq of [1, 2]) {
      const published = await answerTo(alice, 'publish', { ...room, data: seq, idempotencyKey: null, ttlMs: null });
      expect(published.data).toMatchObject({ seq });
    }
    const history = await answerTo(alice, 'history', { ...room, since: null, limit: null });
    expect(history.data).toMatchObject({ publications: [{ data: 1 }, { data: 2 }] });
    expect((await answerTo(alice, 'subscribe', { ...room, since: [] })).code).toBe('VALIDATION_FAILED');
  });

  it('keep idempotency keys of channels apart, whatever stands in the name', async () => {
    const server = await serverWith();
    await using alice = await connect(server.url);
    await answerTo(alice, 'subscribe', { channel: 'room:a' });
    await answerTo(alice, 'subscribe', { channel: 'room:a b' });
    await answerTo(alice, 'publish', { channel: 'room:a', idempotencyKey: 'b c', data: 1 });
    await answerTo(alice, 'publish', { channel: 'room:a b', idempotencyKey: 'c', data: 2 });
    const history = await answerTo(alice, 'history', { channel: 'room:a b' });
    expect(history.data).toMatchObject({ seq: 1, publications: [{ data: 2 }] });
  });

  it('tell of a join once, however often a client subscribes', async () => {
    const server = await serverWith();
    await using alice = await connect(server.url);
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    await answerTo(alice, 'subscribe', { channel: 'room:joins', presence: true });
    for (let count = 0; count < 3; count += 1) await answerTo(bob, 'subscribe', { channel: 'room:joins' });
    await answerTo(alice, 'ping', undefined);
    await answerTo(bob, 'unsubscribe', { channel: 'room:joins' });
    expect((await alice.next()).data).toMatchObject({ event: 'leave' });
  });

  it('show no publication in the history that has expired', async () => {
    const server = await serverWith();
    await using alice = await connect(server.url);
    await answerTo(alice, 'subscribe', { channel: 'room:ttl' });
    await answerTo(alice, 'publish', { channel: 'room:ttl', data: 'gone', ttlMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await answerTo(alice, 'history', { channel: 'room:ttl' })).data).toMatchObject({ publications: [] });
  });

  it('are not read by whom a hook keeps from subscribing', async () => {
    await using server = await startTestServer({}, [feature([OnlyAlice], [ChannelsModule])]);
    await using alice = await connect(server.url);
    await using mallory = await connect(server.url, { claims: { sub: 'mallory' } });
    await answerTo(alice, 'subscribe', { channel: 'room:secret' });
    for (const type of ['subscribe', 'history', 'presence']) {
      expect((await answerTo(mallory, type, { channel: 'room:secret' })).code).toBe('FORBIDDEN');
      if (type !== 'subscribe') {
        expect((await answerTo(alice, type, { channel: 'room:secret' })).type).toBe(`${type}_reply`);
      }
    }
  });

  it('stay in their epoch between a look at the history, a subscribe and the first publication', async () => {
    const server = await serverWith();
    await using alice = await connect(server.url);
    const { epoch } = (await answerTo(alice, 'history', { channel: 'room:epoch' })).data as { epoch: string };
    const joined = await answerTo(alice, 'subscribe', { channel: 'room:epoch', since: { epoch, seq: 0 } });
    expect(joined.data).toMatchObject({ epoch, seq: 0, recovered: true });
    expect((await answerTo(alice, 'publish', { channel: 'room:epoch', data: 1 })).data).toMatchObject({
      epoch,
      seq: 1,
    });
  });
});
