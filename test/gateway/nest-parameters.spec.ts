import {
  createParamDecorator,
  Injectable,
  ParseIntPipe,
  UsePipes,
  type ArgumentMetadata,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { sessionOf } from '../../src/access/guards/session-of.js';
import { CurrentPrincipal, CurrentSession, MessageId } from '../../src/dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import type { Principal } from '../../src/authentication/principal.js';
import type { Session } from '../../src/sessions/session.js';
import { feature } from '../support/feature.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const UserId = createParamDecorator((prefix: string, context: ExecutionContext) => prefix + sessionOf(context).userId);

@Injectable()
class DoublePipe implements PipeTransform {
  async transform(value: number, { data }: ArgumentMetadata): Promise<number> {
    if (typeof value !== 'number') throw new Error(`not a number: ${data ?? 'all of it'}`);
    return Promise.resolve(value * 2);
  }
}

/** Adds to payloads only: a pipe of the class must never be handed the socket or the session as a payload. */
@Injectable()
class TypeRecordingPipe implements PipeTransform {
  transform(value: unknown, { type }: ArgumentMetadata): unknown {
    return type === 'body' ? { value, type } : value;
  }
}

class Point {
  @IsInt()
  x!: number;
}

@WebSocketGateway()
class ParameterGateway {
  @SubscribeMessage('bare')
  bare(client: WebSocket, data: unknown): object {
    client.send('{"type":"sent"}');
    return { data };
  }

  @SubscribeMessage('body')
  body(@MessageBody() data: unknown): unknown {
    return data;
  }

  @SubscribeMessage('prop')
  prop(@MessageBody('name') name: unknown, @MessageBody('deep') deep: unknown): object {
    return { name, deep };
  }

  @SubscribeMessage('piped')
  piped(@MessageBody(DoublePipe) data: number): number {
    return data;
  }

  @SubscribeMessage('piped.prop')
  pipedProp(@MessageBody('count', ParseIntPipe, DoublePipe) count: number): number {
    return count;
  }

  @SubscribeMessage('socket')
  socket(@MessageBody() data: unknown, @ConnectedSocket() client: WebSocket): unknown {
    client.send(JSON.stringify({ type: 'one', data }));
    client.send(JSON.stringify({ type: 'two' }), () => {});
    return 'three';
  }

  @SubscribeMessage('session')
  session(@CurrentSession() session: Session, @CurrentPrincipal() who: Principal, @MessageId() id: unknown): object {
    return { userId: session.userId, roles: who.roles, id };
  }

  @SubscribeMessage('custom')
  custom(@UserId('user:') user: string, @CurrentSession() session: Session, @MessageBody() data: unknown): object {
    return { user, same: session.userId, data };
  }

  @UsePipes(TypeRecordingPipe)
  @SubscribeMessage('method.pipe')
  methodPipe(@MessageBody() data: unknown, @ConnectedSocket() client: WebSocket): object {
    return { data, open: client.readyState };
  }

  @UsePipes(TypeRecordingPipe)
  @SubscribeMessage('bare.pipe')
  barePipe(client: WebSocket, data: unknown): object {
    return { data, open: client.readyState };
  }
}

@RealtimeGateway()
class ValidatedPropertyGateway {
  @SubscribeMessage('validated.prop')
  answer(@MessageBody('point') point: Point): object {
    return { isPoint: point instanceof Point, x: point.x };
  }
}

describe('a handler’s parameters', () => {
  async function withClient(run: (client: TestClient) => Promise<void>): Promise<void> {
    await using server = await startTestServer({}, [feature([ParameterGateway, ValidatedPropertyGateway])]);
    await using client = await connect(server.url, { claims: { sub: 'bob', roles: ['MEMBER'] } });
    await run(client);
  }

  it('are socket and payload where none is decorated', () =>
    withClient(async (client) => {
      expect(await client.request('bare', { a: 1 }, 7)).toEqual({ type: 'sent' });
      expect(await client.next()).toEqual({ v: 1, type: 'bare_reply', id: 7, data: { data: { a: 1 } } });
    }));

  it.each([{ deep: [1, { x: null }] }, 'text', 0, false, null, [1, 2]])('@MessageBody() is the payload: %j', (data) =>
    withClient(async (client) => {
      expect(await client.request('body', data)).toMatchObject({ data });
    }),
  );

  it('@MessageBody(name) is a property of it, and undefined where there is none', () =>
    withClient(async (client) => {
      expect(await client.request('prop', { name: 'n', deep: [1] })).toMatchObject({ data: { name: 'n', deep: [1] } });
      for (const data of [null, 'text', 5, {}, undefined]) {
        expect(await client.request('prop', data)).toEqual({ v: 1, type: 'prop_reply', id: 'r', data: {} });
      }
    }));

  it('@MessageBody(pipe) goes through the pipe, what it throws is answered', () =>
    withClient(async (client) => {
      expect(await client.request('piped', 21)).toMatchObject({ data: 42 });
      expect(await client.request('piped', '21', 'bad')).toMatchObject({ id: 'bad', code: 'INTERNAL_ERROR' });
      expect(await client.request('piped.prop', { count: '21' })).toMatchObject({ data: 42 });
      expect(await client.request('piped.prop', { count: 'x' }, 9)).toEqual({
        v: 1,
        type: 'error',
        id: 9,
        code: 'VALIDATION_FAILED',
        message: 'Validation failed (numeric string is expected)',
      });
    }));

  it('@ConnectedSocket().send() leaves in order with the replies', () =>
    withClient(async (client) => {
      client.send({ type: 'echo', id: 0, data: 'zero' });
      client.send({ type: 'socket', id: 3, data: { n: 1 } });
      client.send({ type: 'echo', id: 4 });
      const order = [await client.next(), await client.next(), await client.next(), await client.next()];
      expect(order.map(({ type }) => type)).toEqual(['echo_reply', 'one', 'two', 'socket_reply']);
      expect(order[1]).toEqual({ type: 'one', data: { n: 1 } });
    }));

  it('know session, principal and id', () =>
    withClient(async (client) => {
      expect(await client.request('session', undefined, 'i')).toMatchObject({
        data: { userId: 'bob', roles: ['MEMBER'], id: 'i' },
      });
    }));

  it('may come from a decorator of the user’s own', () =>
    withClient(async (client) => {
      expect(await client.request('custom', 1)).toMatchObject({ data: { user: 'user:bob', same: 'bob', data: 1 } });
    }));

  it('are piped as payloads only where they are payloads', () =>
    withClient(async (client) => {
      const expected = { data: { data: { value: 'p', type: 'body' }, open: 1 } };
      expect(await client.request('method.pipe', 'p')).toMatchObject(expected);
      expect(await client.request('bare.pipe', 'p')).toMatchObject(expected);
    }));

  it('are validated where a property of the payload is a message class, with the path from the payload', () =>
    withClient(async (client) => {
      expect(await client.request('validated.prop', { point: { x: 1 } })).toMatchObject({
        data: { isPoint: true, x: 1 },
      });
      expect(await client.request('validated.prop', { point: { x: 'a' } })).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { 'point.x': ['x must be an integer number'] },
      });
      expect(await client.request('validated.prop', {})).toMatchObject({ details: { point: ['must be an object'] } });
    }));
});
