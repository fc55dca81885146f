import { HttpException } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { GatehouseError } from '../../src/protocol/gatehouse-error.js';
import { feature } from '../support/feature.js';
import { sharedServer } from '../support/shared-server.js';
import { connect, type TestClient } from '../support/test-client.js';
import type { TestServer } from '../support/test-server.js';

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

/** As a query builder has it: no Promise, but it can be awaited. */
class Query {
  readonly [method: string]: unknown;

  constructor(value: string) {
    // oxlint-disable-next-line unicorn/no-thenable -- a thenable is what this class is for
    Object.defineProperty(this, 'then', { value: (ready: (value: string) => void) => ready(value) });
  }
}

const RESULTS: Record<string, () => unknown> = {
  value: () => ({ a: [1, null] }),
  nothing: () => undefined,
  null: () => null,
  zero: () => 0,
  promise: () => Promise.resolve('later'),
  thenable: () => new Query('queried'),
  bigint: () => ({ n: 2n ** 60n }),
  cycle: () => cycle,
  function: () => ({ f: () => {} }),
  symbol: () => Symbol('s'),
  map: () => new Map([[1, 2]]),
  unawaited: () => ({ p: Promise.resolve(1) }),
  getter: () => ({
    get bad(): never {
      throw new Error('secret of the getter');
    },
  }),
  asyncCycle: () => Promise.resolve(cycle),
};

const EXCEPTIONS: Record<string, unknown> = {
  plain: new Error('secret: db at 10.0.0.1'),
  text: 'secret text',
  nothing: undefined,
  frozen: Object.freeze({ message: 'secret' }),
  gatehouse: new GatehouseError('SERVER_BUSY', { retryAfter: 250, message: 'Come back' }),
  wsText: new WsException('Room is full'),
  wsCode: new WsException({
    code: 'ROOM_FULL',
    message: 'Room is full',
    retryAfter: 12.5,
    details: { room: ['full'] },
  }),
  wsBadCode: new WsException({ code: 'room full!', message: 'Room is full' }),
  wsUnwritable: new WsException({ code: 'ROOM_FULL', message: 'm', details: { n: 5n }, retryAfter: 'soon' }),
  wsCycle: new WsException({ code: 'ROOM_FULL', message: 'm', details: cycle }),
  wsFunction: new WsException({ code: 'ROOM_FULL', message: 'm', details: () => 1 }),
  http400: new HttpException({ message: ['a must be b', 'c must be d'] }, 400),
  http403: new HttpException('Only its owner may', 403),
  http404: new HttpException('No such room', 404),
  http413: new HttpException('Too long', 413),
  http429: new HttpException('Slow down', 429),
  http500: new HttpException('secret stack', 500),
  http503: new HttpException('secret host', 503),
  httpOdd: new HttpException({ message: [Object.create(null)] }, 400),
};

const ANSWERS: Record<string, object> = {
  plain: { code: 'INTERNAL_ERROR', message: 'Internal error' },
  text: { code: 'INTERNAL_ERROR', message: 'Internal error' },
  nothing: { code: 'INTERNAL_ERROR', message: 'Internal error' },
  frozen: { code: 'INTERNAL_ERROR', message: 'Internal error' },
  gatehouse: { code: 'SERVER_BUSY', message: 'Come back', retryAfter: 250 },
  wsText: { code: 'VALIDATION_FAILED', message: 'Room is full' },
  wsCode: { code: 'ROOM_FULL', message: 'Room is full', retryAfter: 13, details: { room: ['full'] } },
  wsBadCode: { code: 'VALIDATION_FAILED', message: 'Room is full' },
  wsUnwritable: { code: 'ROOM_FULL', message: 'm' },
  wsCycle: { code: 'ROOM_FULL', message: 'm' },
  wsFunction: { code: 'ROOM_FULL', message: 'm' },
  http400: {
    code: 'VALIDATION_FAILED',
    message: 'Validation failed',
    details: { data: ['a must be b', 'c must be d'] },
  },
  http403: { code: 'FORBIDDEN', message: 'Only its owner may' },
  http404: { code: 'VALIDATION_FAILED', message: 'No such room' },
  http413: { code: 'MESSAGE_TOO_LARGE', message: 'Too long' },
  http429: { code: 'RATE_LIMIT_EXCEEDED', message: 'Slow down' },
  http500: { code: 'INTERNAL_ERROR', message: 'Internal error' },
  http503: { code: 'SERVER_BUSY', message: 'Server busy' },
  httpOdd: { code: 'INTERNAL_ERROR', message: 'Internal error' },
};

@WebSocketGateway()
class ReplyGateway {
  @SubscribeMessage('result')
  result(@MessageBody() name: string): unknown {
    return RESULTS[name]?.();
  }

  @SubscribeMessage('throws')
  throws(@MessageBody() name: string): never {
    throw EXCEPTIONS[name];
  }

  @SubscribeMessage('rejects')
  async rejects(@MessageBody() name: string): Promise<never> {
    await Promise.resolve();
    throw EXCEPTIONS[name];
  }
}

/** @param own what the test may look at: the lines that it has caused */
async function withClient(
  server: TestServer,
  run: (client: TestClient, own: Pick<TestServer, 'logLines'>) => Promise<void>,
): Promise<void> {
  const before = server.logLines.length;
  await using client = await connect(server.url);
  const own = {
    get logLines() {
      return server.logLines.slice(before);
    },
  };
  await run(client, own);
  expect(await client.request('echo', 'still here', 'last')).toMatchObject({ id: 'last', data: 'still here' });
}

describe('what a handler returns', () => {
  const server = sharedServer({}, [feature([ReplyGateway])]);

  it.each([
    ['value', { a: [1, null] }],
    ['null', null],
    ['zero', 0],
    ['promise', 'later'],
    ['thenable', 'queried'],
    ['bigint', { n: '1152921504606846976' }],
  ])('is the reply: %s', (name, data) =>
    withClient(server(), async (client) => {
      expect(await client.request('result', name, 5)).toEqual({ v: 1, type: 'result_reply', id: 5, data });
    }),
  );

  it('is answered without data where it is nothing, and only if the request had an id', () =>
    withClient(server(), async (client) => {
      client.send({ type: 'result', data: 'nothing' });
      expect(await client.request('result', 'nothing', 5)).toEqual({ v: 1, type: 'result_reply', id: 5 });
      expect(client.unread).toEqual([]);
    }));

  it.each(['cycle', 'function', 'symbol', 'map', 'unawaited', 'getter', 'asyncCycle'])(
    'is INTERNAL_ERROR where it cannot be written: %s',
    (name) =>
      withClient(server(), async (client, own) => {
        const error = { v: 1, type: 'error', code: 'INTERNAL_ERROR', message: 'Internal error' };
        expect(await client.request('result', name, 5)).toEqual({ ...error, id: 5 });
        client.send({ type: 'result', data: name });
        expect(await client.next()).toEqual(error);
        expect(JSON.stringify(own.logLines)).toContain('ReplyGateway.result');
      }),
  );
});

describe('what a handler throws', () => {
  const server = sharedServer({}, [feature([ReplyGateway])]);

  describe.each(['throws', 'rejects'])('%s', (way) => {
    it.each(Object.entries(ANSWERS))('%s', (name, answer) =>
      withClient(server(), async (client) => {
        const reply = await client.request(way, name, 'its-id');
        expect(reply).toEqual({ v: 1, type: 'error', id: 'its-id', ...answer });
        expect(JSON.stringify(reply)).not.toContain('secret');
      }),
    );
  });

  it('is logged where it is a fault of the application, and only there', () =>
    withClient(server(), async (client, own) => {
      await client.request('throws', 'plain');
      await client.request('throws', 'wsText');
      await client.request('throws', 'http404');
      const log = JSON.stringify(own.logLines);
      expect(log).toContain('secret: db at 10.0.0.1');
      expect(log).not.toContain('Room is full');
      expect(log).not.toContain('No such room');
    }));
});
