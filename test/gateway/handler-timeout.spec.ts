import { UseInterceptors, type CallHandler, type NestInterceptor } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { concat, NEVER, of, type Observable } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ReplayProtected } from '../../src/access/guards/replay-protected.js';
import type { MessageContext } from '../../src/dispatch/calls/message-context.js';
import { CurrentMessage } from '../../src/dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { feature } from '../support/feature.js';
import { gate, type Gate } from '../support/gate.js';
import { Scrape } from '../support/scrape.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

let held: Gate;
let calls = 0;
let deliveries: boolean[] = [];

class Passing implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@RealtimeGateway()
class SlowGateway {
  @SubscribeMessage('slow.hang')
  async hang(@MessageBody() what: string): Promise<string> {
    await held.opened;
    calls += 1;
    if (what === 'fault') throw new Error('a fault that comes late');
    return 'too late';
  }

  @SubscribeMessage('slow.steps')
  async steps(@CurrentMessage() context: MessageContext): Promise<void> {
    await held.opened;
    context.afterReply((isDelivered) => deliveries.push(isDelivered));
  }

  @SubscribeMessage('slow.first_steps')
  async firstSteps(@MessageBody() what: string, @CurrentMessage() context: MessageContext): Promise<void> {
    context.afterReply((isDelivered) => deliveries.push(isDelivered));
    if (what === 'hang') await held.opened;
    if (what === 'fail') throw new Error('a fault');
  }

  @UseInterceptors(Passing)
  @SubscribeMessage('slow.intercepted')
  async intercepted(): Promise<string> {
    await held.opened;
    return 'too late';
  }

  @SubscribeMessage('slow.silent')
  silent(): Observable<never> {
    return NEVER;
  }

  @SubscribeMessage('slow.stream')
  stream(): Observable<number> {
    return concat(of(1), NEVER);
  }

  @ReplayProtected()
  @SubscribeMessage('slow.once')
  async once(): Promise<number> {
    calls += 1;
    await held.opened;
    return calls;
  }
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ HANDLER_TIMEOUT_MS: '100' }, [feature([SlowGateway])]);
});
beforeEach(() => {
  held = gate();
  calls = 0;
  deliveries = [];
});
afterAll(() => server.close());

const TIMED_OUT = { type: 'error', code: 'TIMEOUT', message: 'Timed out' };

describe('a handler that takes too long', () => {
  it.each(['slow.hang', 'slow.intercepted', 'slow.silent'])(
    'is answered for with TIMEOUT, and the connection goes on: %s',
    async (type) => {
      await using client = await connect(server.url);
      const before = await Scrape.of(server);
      client.send({ type, id: 1 });
      client.send({ type: 'echo', id: 2, data: 'goes on' });
      expect(await client.next()).toMatchObject({ id: 1, ...TIMED_OUT });
      expect(await client.next()).toMatchObject({ id: 2, data: 'goes on' });
      expect((await Scrape.of(server)).since(before, 'websocket_errors_total{code="TIMEOUT"}')).toBe(1);
    },
  );

  it('is not answered a second time when it ends', async () => {
    await using client = await connect(server.url);
    expect(await client.request('slow.hang')).toMatchObject(TIMED_OUT);
    held.open();
    await expect.poll(() => calls).toBe(1);
    expect(await client.request('echo', 'next')).toMatchObject({ type: 'echo_reply' });
    expect(client.unread).toEqual([]);
  });

  it('has what was to follow its reply done, although it comes late, and says that the client got TIMEOUT', async () => {
    await using client = await connect(server.url);
    expect(await client.request('slow.steps')).toMatchObject(TIMED_OUT);
    held.open();
    await expect.poll(() => deliveries).toEqual([false]);
  });

  it.each([
    ['hang', [false]],
    ['fail', [false]],
    ['nothing', [true]],
  ])('tells a step whether the client got the reply: %s', async (what, expected) => {
    await using client = await connect(server.url);
    await client.request('slow.first_steps', what);
    await expect.poll(() => deliveries).toEqual(expected);
  });

  it('has its fault logged all the same', async () => {
    await using client = await connect(server.url);
    expect(await client.request('slow.hang', 'fault')).toMatchObject(TIMED_OUT);
    held.open();
    await expect.poll(() => JSON.stringify(server.logLines)).toContain('a fault that comes late');
  });

  it('keeps the id of a protected message until it ends: it is not carried out twice', async () => {
    await using client = await connect(server.url);
    const message = { type: 'slow.once', id: 'once', ts: Date.now() };
    client.send(message);
    expect(await client.next()).toMatchObject(TIMED_OUT);
    client.send(message);
    expect(await client.next()).toMatchObject({ code: 'DUPLICATE_MESSAGE', retryAfter: 1_000 });
    held.open();
    await expect
      .poll(async () => {
        client.send(message);
        return client.next();
      })
      .toMatchObject({ type: 'slow.once_reply', data: 1 });
    expect(calls).toBe(1);
  });

  it('is none that streams: the first value is in time', async () => {
    await using client = await connect(server.url);
    expect(await client.request('slow.stream')).toMatchObject({ data: 1 });
    expect(await client.request('slow.hang')).toMatchObject(TIMED_OUT);
    expect(client.unread).toEqual([]);
  });
});

it('HANDLER_TIMEOUT_MS=0 lets a handler take its time', async () => {
  await using patient = await startTestServer({ HANDLER_TIMEOUT_MS: '0' }, [feature([SlowGateway])]);
  await using client = await connect(patient.url);
  client.send({ type: 'slow.hang', id: 1 });
  held.open();
  expect(await client.next()).toMatchObject({ type: 'slow.hang_reply', data: 'too late' });
});
