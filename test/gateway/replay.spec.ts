import { Injectable, UseInterceptors, type CallHandler, type NestInterceptor } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WsException } from '@nestjs/websockets';
import { from, map, type Observable } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ReplayProtected } from '../../src/access/guards/replay-protected.js';
import { Roles } from '../../src/access/guards/roles.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { ERRORS, type ErrorCode } from '@gatehouse/protocol';
import { GatehouseError } from '../../src/protocol/gatehouse-error.js';
import { feature } from '../support/feature.js';
import { KEY, sealed, unsealed } from '../support/fernet.js';
import { gate, type Gate } from '../support/gate.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { connect, type Message } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { connectWith, WIRES } from '../support/wires.js';

const counted = { calls: 0 };
let held: Gate;

@Injectable()
class Wrap implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => ({ wrapped: value })));
  }
}

@RealtimeGateway()
class PayGateway {
  @ReplayProtected()
  @SubscribeMessage('pay')
  pay(): number {
    counted.calls += 1;
    return counted.calls;
  }

  @ReplayProtected()
  @SubscribeMessage('pay.fail')
  fail(@MessageBody() { code }: { code: string }): never {
    counted.calls += 1;
    if (code in ERRORS) throw new GatehouseError(code as ErrorCode, { details: { why: ['because'] } });
    if (code === 'OF_MINE') throw new WsException({ code, message: 'An own code' });
    throw new Error('a fault');
  }

  @ReplayProtected()
  @SubscribeMessage('pay.hold')
  async hold(): Promise<number> {
    counted.calls += 1;
    await held.opened;
    return counted.calls;
  }

  @ReplayProtected()
  @SubscribeMessage('pay.answer')
  answer(@MessageBody() { what }: { what: string }): unknown {
    counted.calls += 1;
    if (what === 'nothing') return undefined;
    if (what === 'much') return 'x'.repeat(20_000);
    return { bytes: Buffer.from([1, 2]), large: 2n ** 60n, count: counted.calls };
  }

  @Roles('ADMIN')
  @ReplayProtected()
  @SubscribeMessage('pay.admin')
  admin(): string {
    return 'done';
  }
}

@ReplayProtected()
@RealtimeGateway()
class WholeGateway {
  @UseInterceptors(Wrap)
  @SubscribeMessage('whole.wrapped')
  wrapped(): number {
    counted.calls += 1;
    return counted.calls;
  }

  @SubscribeMessage('whole.stream')
  stream(): Observable<number> {
    counted.calls += 1;
    return from([1, 2, 3]);
  }
}

let server: TestServer;
let namespaces: NamespacesFile;
let ids = 0;
const fresh = (): string => `m-${(ids += 1)}`;
const duplicate = (id: unknown): object => ({ type: 'error', id, code: 'DUPLICATE_MESSAGE' });

beforeAll(async () => {
  namespaces = namespacesFile({
    once: 'subscribe: anyone, publish: anyone, replay_protection: true, history: { size: 100, age: 1h }',
    twice: 'subscribe: anyone, publish: anyone, history: { size: 100, age: 1h }',
  });
  const environment = { ...namespaces.environment, ENCRYPTION_KEYS: KEY, REPLAY_WINDOW_MS: '60000' };
  server = await startTestServer(environment, [feature([PayGateway, WholeGateway])]);
});
beforeEach(() => {
  counted.calls = 0;
  held = gate();
});
afterAll(async () => {
  await server.close();
  namespaces[Symbol.dispose]();
});

describe('a protected message', () => {
  it.each(WIRES)(
    'that is repeated is answered as the first time and not carried out, in $subprotocol',
    async (wire) => {
      await using client = await connectWith(wire, server.url);
      const message = { type: 'pay', id: fresh(), ts: Date.now(), data: { amount: 5 } };
      client.send(message);
      const first = await client.next();
      expect(first).toEqual({ v: 1, type: 'pay_reply', id: message.id, data: 1 });
      client.send(message);
      expect(await client.next()).toEqual(first);
      expect(counted.calls).toBe(1);
    },
  );

  it('is answered again after a reconnect, and counted', async () => {
    const message = { type: 'pay', id: fresh(), ts: Date.now() };
    const before = await Scrape.of(server);
    for (const _ of [1, 2, 3]) {
      await using client = await connect(server.url);
      client.send(message);
      expect(await client.next()).toMatchObject({ type: 'pay_reply', data: 1 });
    }
    expect((await Scrape.of(server)).since(before, 'websocket_repeats_answered_total{type="pay"}')).toBe(2);
  });

  it('needs an id and a time, and the error says which is missing', async () => {
    await using client = await connect(server.url);
    client.send({ type: 'pay', data: 1 });
    const { code, details } = await client.next();
    expect(code).toBe('VALIDATION_FAILED');
    expect(Object.keys(details as object)).toEqual(['id', 'ts']);
    for (const ts of [undefined, '2026-01-01', 1.5, null]) {
      client.send({ type: 'pay', id: 7, ts, data: 1 });
      const error = await client.next();
      expect(Object.keys(error['details'] as object)).toEqual(['ts']);
    }
    expect(counted.calls).toBe(0);
  });

  it.each([
    ['too old', -61_000, 'Message is too old'],
    ['from the future', 45_000, 'Message is from the future'],
  ])('is refused when it is %s', async (_what, offset, message) => {
    await using client = await connect(server.url);
    client.send({ type: 'pay', id: fresh(), ts: Date.now() + offset });
    expect(await client.next()).toMatchObject({ code: 'STALE_MESSAGE', message });
    expect(counted.calls).toBe(0);
  });

  it.each([-50_000, 20_000])('is taken with a clock that is %i ms off', async (offset) => {
    await using client = await connect(server.url);
    client.send({ type: 'pay', id: fresh(), ts: Date.now() + offset });
    expect(await client.next()).toMatchObject({ data: 1 });
  });

  it('is refused as a duplicate when anything but its id is different', async () => {
    await using client = await connect(server.url);
    const message = { type: 'pay', id: fresh(), ts: Date.now(), data: { amount: 5 } };
    client.send(message);
    await client.next();
    const others = [{ data: { amount: 6 } }, { ts: message.ts + 1 }, { type: 'pay.hold' }, { data: undefined }];
    for (const other of others) {
      client.send({ ...message, ...other });
      expect(await client.next()).toMatchObject(duplicate(message.id));
    }
    expect(counted.calls).toBe(1);
  });

  it('of one user does not stand in the way of another user, nor a number in that of a text', async () => {
    await using alice = await connect(server.url);
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    const message = { type: 'pay', id: 90_001, ts: Date.now() };
    for (const client of [alice, bob]) client.send(message);
    alice.send({ ...message, id: '90001' });
    expect([await alice.next(), await alice.next(), await bob.next()]).toMatchObject(
      [1, 2, 3].map(() => ({ type: 'pay_reply' })),
    );
    expect(counted.calls).toBe(3);
  });

  it('is refused, with the advice to wait, while the first is still being handled', async () => {
    await using one = await connect(server.url);
    await using two = await connect(server.url);
    const message = { type: 'pay.hold', id: fresh(), ts: Date.now() };
    one.send(message);
    await expect.poll(() => counted.calls).toBe(1);
    two.send(message);
    expect(await two.next()).toMatchObject({ ...duplicate(message.id), retryAfter: 1_000 });
    held.open();
    expect(await one.next()).toMatchObject({ data: 1 });
    two.send(message);
    expect(await two.next()).toMatchObject({ type: 'pay.hold_reply', data: 1 });
  });

  it.each(['SERVER_BUSY', 'TIMEOUT', 'UPSTREAM_UNAVAILABLE', 'INTERNAL_ERROR'])(
    'that failed with %s may be tried again',
    async (code) => {
      await using client = await connect(server.url);
      const message = { type: 'pay.fail', id: fresh(), ts: Date.now(), data: { code } };
      for (const calls of [1, 2]) {
        client.send(message);
        expect(await client.next()).toMatchObject({ code });
        expect(counted.calls).toBe(calls);
      }
    },
  );

  it('that failed with a fault may be tried again', async () => {
    await using client = await connect(server.url);
    const message = { type: 'pay.fail', id: fresh(), ts: Date.now(), data: { code: 'fault' } };
    for (const calls of [1, 2]) {
      client.send(message);
      expect(await client.next()).toMatchObject({ code: 'INTERNAL_ERROR' });
      expect(counted.calls).toBe(calls);
    }
  });

  it.each(['FORBIDDEN', 'VALIDATION_FAILED', 'OF_MINE'])('that failed with %s is answered so again', async (code) => {
    await using client = await connect(server.url);
    const message = { type: 'pay.fail', id: fresh(), ts: Date.now(), data: { code } };
    client.send(message);
    const first = await client.next();
    expect(first).toMatchObject({ type: 'error', code });
    client.send(message);
    expect(await client.next()).toEqual(first);
    expect(counted.calls).toBe(1);
  });

  it.each([
    [0, 'nothing'],
    [1, 'bytes and large integers'],
  ] as const)('has its answer repeated as it was, in every codec: %s %s', async (_index, what) => {
    for (const wire of WIRES) {
      await using client = await connectWith(wire, server.url);
      const message = { type: 'pay.answer', id: fresh(), ts: Date.now(), data: { what } };
      client.send(message);
      const first = await client.next();
      client.send(message);
      expect(await client.next()).toEqual(first);
    }
    expect(counted.calls).toBe(WIRES.length);
  });

  it('with an answer too large to be kept is refused instead of repeated', async () => {
    await using client = await connect(server.url);
    const message = { type: 'pay.answer', id: fresh(), ts: Date.now(), data: { what: 'much' } };
    client.send(message);
    expect(await client.next()).toMatchObject({ type: 'pay.answer_reply' });
    client.send(message);
    expect(await client.next()).toMatchObject(duplicate(message.id));
    expect(counted.calls).toBe(1);
  });

  it('still meets the guards of its handler', async () => {
    await using client = await connect(server.url);
    client.send({ type: 'pay.admin', id: fresh(), ts: Date.now() });
    expect(await client.next()).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('a class that is protected', () => {
  it('has the answers of its interceptors repeated', async () => {
    await using client = await connect(server.url);
    const message = { type: 'whole.wrapped', id: fresh(), ts: Date.now() };
    for (const _ of [1, 2]) {
      client.send(message);
      expect(await client.next()).toMatchObject({ data: { wrapped: 1 } });
    }
    expect(counted.calls).toBe(1);
  });

  it('refuses to repeat a stream of several values', async () => {
    await using client = await connect(server.url);
    const message = { type: 'whole.stream', id: fresh(), ts: Date.now() };
    client.send(message);
    for (const data of [1, 2, 3]) expect(await client.next()).toMatchObject({ data });
    client.send(message);
    expect(await client.next()).toMatchObject(duplicate(message.id));
    expect(counted.calls).toBe(1);
  });
});

describe('an encrypted protected message', () => {
  it('is recognised by what it holds, not by how it was encrypted', async () => {
    await using client = await connect(server.url);
    const message = { type: 'pay', id: fresh(), ts: Date.now(), enc: 'fernet' };
    client.send({ ...message, data: sealed({ amount: 5 }) });
    expect(unsealed((await client.next())['data'])).toBe(1);
    client.send({ ...message, data: sealed({ amount: 5 }) });
    expect(unsealed((await client.next())['data'])).toBe(1);
    client.send({ ...message, data: sealed({ amount: 6 }) });
    expect(await client.next()).toMatchObject(duplicate(message.id));
  });

  it('cannot be sent anew under another id, by nobody', async () => {
    await using alice = await connect(server.url);
    await using mallory = await connect(server.url, { claims: { sub: 'mallory' } });
    const message = { type: 'pay', id: fresh(), ts: Date.now(), enc: 'fernet', data: sealed({ amount: 5 }) };
    alice.send(message);
    await alice.next();
    for (const client of [alice, mallory]) {
      const id = fresh();
      client.send({ ...message, id, ts: Date.now() });
      expect(await client.next()).toMatchObject(duplicate(id));
    }
    alice.send(message);
    expect(unsealed((await alice.next())['data'])).toBe(1);
    expect(counted.calls).toBe(1);
  });

  it('is stale when it was encrypted long ago, whatever time is written on it', async () => {
    await using client = await connect(server.url);
    const data = sealed({ amount: 5 }, { time: Date.now() / 1_000 - 120 });
    client.send({ type: 'pay', id: fresh(), ts: Date.now(), enc: 'fernet', data });
    expect(await client.next()).toMatchObject({ code: 'STALE_MESSAGE' });
  });
});

describe('a namespace with replay_protection', () => {
  const publish = (channel: string, fields: object = {}): Message => ({
    type: 'publish',
    id: fresh(),
    ts: Date.now(),
    data: { channel, data: 'x' },
    ...fields,
  });

  it('has a repeated publish made once, and answered with the position it got', async () => {
    await using client = await connect(server.url);
    const message = publish('once:a');
    client.send(message);
    const first = await client.next();
    expect(first).toMatchObject({ type: 'publish_reply', data: { channel: 'once:a', seq: 1 } });
    client.send(message);
    expect(await client.next()).toEqual(first);
    client.send(publish('once:a'));
    expect(await client.next()).toMatchObject({ data: { seq: 2 } });
  });

  it('refuses a publish without time, an old one, and another one with the same id', async () => {
    await using client = await connect(server.url);
    client.send(publish('once:b', { ts: undefined }));
    expect(await client.next()).toMatchObject({ code: 'VALIDATION_FAILED' });
    client.send(publish('once:b', { ts: Date.now() - 120_000 }));
    expect(await client.next()).toMatchObject({ code: 'STALE_MESSAGE' });
    const message = publish('once:b');
    client.send(message);
    expect(await client.next()).toMatchObject({ data: { seq: 1 } });
    client.send({ ...message, data: { channel: 'once:b', data: 'another' } });
    expect(await client.next()).toMatchObject(duplicate(message['id']));
  });

  it('leaves the others as they are', async () => {
    await using client = await connect(server.url);
    const message = publish('twice:a', { ts: undefined });
    for (const seq of [1, 2]) {
      client.send(message);
      expect(await client.next()).toMatchObject({ data: { seq } });
    }
  });
});

describe('one user', () => {
  it('cannot take all the room there is for ids: it gets SERVER_BUSY, and others go on', async () => {
    await using small = await startTestServer({ REPLAY_BUDGET_BYTES: '1048576', MESSAGE_RATE: '0' }, [
      feature([PayGateway]),
    ]);
    await using mallory = await connect(small.url, { claims: { sub: 'mallory' } });
    await using alice = await connect(small.url);
    let refused: Message | undefined;
    for (let sent = 0; sent < 1_000 && !refused; sent += 100) {
      for (let n = 0; n < 100; n += 1) mallory.send({ type: 'pay', id: fresh(), ts: Date.now() });
      for (let n = 0; n < 100; n += 1) {
        const reply = await mallory.next();
        if (reply.type === 'error') refused = reply;
      }
    }
    expect(refused).toMatchObject({ code: 'SERVER_BUSY', retryAfter: 1_000 });
    alice.send({ type: 'pay', id: fresh(), ts: Date.now() });
    expect(await alice.next()).toMatchObject({ type: 'pay_reply' });
  });
});
