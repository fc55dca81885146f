import { Injectable, UseFilters, UseInterceptors, type CallHandler, type NestInterceptor } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { concat, from, map, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MAX_STREAMS_PER_SESSION } from '../../src/dispatch/calls/reply-streams.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { fetch } from '../support/fetch.js';
import { gate, type Gate } from '../support/gate.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

@Injectable()
class PassingInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => value));
  }
}

class SlowFilter {
  async catch(): Promise<WsException> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return new WsException('late');
  }
}
Reflect.defineMetadata('__filterCatchExceptions__', [], SlowFilter);

const open = { count: 0 };
const subject = new Subject<number>();
let release: Gate = gate();

function tracked(values: Observable<unknown>, onEnd = (): void => {}): Observable<unknown> {
  return new Observable((subscriber) => {
    open.count += 1;
    const inner = values.subscribe(subscriber);
    return () => {
      open.count -= 1;
      inner.unsubscribe();
      onEnd();
    };
  });
}

const explode = (): never => {
  throw new Error('teardown');
};

@WebSocketGateway()
class StreamGateway {
  @SubscribeMessage('three')
  three(): Observable<number> {
    return of(1, 2, 3);
  }

  @SubscribeMessage('none')
  none(): Observable<number> {
    return from([]);
  }

  @SubscribeMessage('breaks')
  breaks(): Observable<unknown> {
    return concat(
      of(1, 2),
      throwError(() => new WsException('broken off')),
    );
  }

  @SubscribeMessage('promised')
  async promised(): Promise<Observable<number>> {
    return Promise.resolve(of(1, 2));
  }

  @SubscribeMessage('endless')
  endless(@MessageBody() explodes: unknown): Observable<unknown> {
    return tracked(concat(of('first'), subject), explodes === true ? explode : undefined);
  }

  @SubscribeMessage('silent')
  silent(): Observable<unknown> {
    return tracked(NEVER);
  }

  @SubscribeMessage('late')
  async late(): Promise<Observable<unknown>> {
    await release.opened;
    return tracked(concat(of('first'), subject));
  }

  @UseInterceptors(PassingInterceptor)
  @SubscribeMessage('intercepted')
  intercepted(@MessageBody() data: unknown): unknown {
    return data;
  }

  @UseInterceptors(PassingInterceptor)
  @SubscribeMessage('intercepted.three')
  interceptedThree(): Observable<number> {
    return of(1, 2, 3);
  }

  @UseFilters(SlowFilter)
  @SubscribeMessage('fails.slowly')
  failsSlowly(): Observable<never> {
    return throwError(() => new Error('at once'));
  }
}

async function withClient(run: (client: TestClient, server: TestServer) => Promise<void>): Promise<void> {
  open.count = 0;
  release = gate();
  await using server = await startTestServer({}, [feature([StreamGateway])]);
  await using client = await connect(server.url);
  await run(client, server);
}

const take = async (client: TestClient, count: number): Promise<unknown[]> => {
  const taken: unknown[] = [];
  while (taken.length < count) taken.push(await client.next());
  return taken;
};

describe('a handler that returns an Observable', () => {
  it.each(['three', 'intercepted.three'])('replies with each value, in order, before the next message: %s', (type) =>
    withClient(async (client) => {
      client.send({ type, id: 's' });
      client.send({ type: 'echo', id: 'e', data: 'after' });
      expect(await take(client, 4)).toEqual([
        ...[1, 2, 3].map((data) => ({ v: 1, type: `${type}_reply`, id: 's', data })),
        { v: 1, type: 'echo_reply', id: 'e', data: 'after' },
      ]);
    }),
  );

  it('may be promised, and may be empty', () =>
    withClient(async (client) => {
      client.send({ type: 'promised', id: 1 });
      client.send({ type: 'none', id: 2 });
      client.send({ type: 'none' });
      client.send({ type: 'echo', id: 3 });
      expect(await take(client, 4)).toMatchObject([
        { id: 1, data: 1 },
        { id: 1, data: 2 },
        { id: 2, type: 'none_reply' },
        { id: 3 },
      ]);
    }));

  it('ends with an error that bears the id where it breaks', () =>
    withClient(async (client) => {
      client.send({ type: 'breaks', id: 'b' });
      expect(await take(client, 3)).toMatchObject([
        { id: 'b', data: 1 },
        { id: 'b', data: 2 },
        { id: 'b', type: 'error', code: 'VALIDATION_FAILED', message: 'broken off' },
      ]);
    }));

  it('waits for a filter that takes its time: the error comes before the next reply', () =>
    withClient(async (client) => {
      client.send({ type: 'fails.slowly', id: 1 });
      client.send({ type: 'echo', id: 2 });
      expect(await take(client, 2)).toMatchObject([{ id: 1, message: 'late' }, { id: 2 }]);
    }));

  it('does not block later messages where it is endless, and is unsubscribed on close', () =>
    withClient(async (client) => {
      expect(await client.request('endless', null, 's')).toMatchObject({ data: 'first' });
      expect(await client.request('echo', 1, 'e')).toMatchObject({ id: 'e' });
      subject.next(2);
      expect(await client.next()).toMatchObject({ id: 's', data: 2 });
      expect(open.count).toBe(1);
      client.socket.close();
      await eventually('the stream is unsubscribed', () => open.count === 0);
      expect(subject.observed).toBe(false);
    }));

  it('is unsubscribed on close even before its first value', () =>
    withClient(async (client) => {
      client.send({ type: 'silent' });
      await eventually('the stream is subscribed', () => open.count === 1);
      client.socket.terminate();
      await eventually('the stream is unsubscribed', () => open.count === 0);
    }));

  it('is never subscribed where the connection closed before the handler had it', () =>
    withClient(async (client, server) => {
      client.send({ type: 'late' });
      await using other = await connect(server.url);
      client.socket.terminate();
      await client.closed;
      await eventually('the server saw it', async () =>
        (await (await fetch(`${server.http}/metrics`)).text()).includes('websocket_active_connections 1'),
      );
      release.open();
      await other.request('echo');
      expect(open.count).toBe(0);
    }));

  it('may throw while it cleans up: the session is cleared up all the same', () =>
    withClient(async (client, server) => {
      await client.request('endless', true);
      await client.request('endless', false);
      client.socket.terminate();
      await eventually('both are unsubscribed', () => open.count === 0);
      await eventually('it is logged', () => JSON.stringify(server.logLines).includes('teardown'));
      const metrics = await (await fetch(`${server.http}/metrics`)).text();
      expect(metrics).toContain('websocket_active_connections 0');
    }));

  it(`is SERVER_BUSY where ${MAX_STREAMS_PER_SESSION} are open, until one ends; plain answers go on`, () =>
    withClient(async (client) => {
      for (let id = 1; id <= MAX_STREAMS_PER_SESSION; id += 1) {
        expect(await client.request('endless', null, id)).toMatchObject({ id, data: 'first' });
      }
      expect(await client.request('endless', null, 17)).toMatchObject({ id: 17, code: 'SERVER_BUSY' });
      expect(open.count).toBe(MAX_STREAMS_PER_SESSION);
      expect(await client.request('intercepted', 'plain', 18)).toMatchObject({ id: 18, data: 'plain' });
      client.send({ type: 'three', id: 19 });
      expect(await take(client, 3)).toMatchObject([{ data: 1 }, { data: 2 }, { data: 3 }]);
    }));
});
