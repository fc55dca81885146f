import {
  CanActivate,
  ForbiddenException,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { feature } from '../support/feature.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const seen: string[] = [];

function noting(name: string): NestInterceptor & CanActivate & PipeTransform {
  return {
    canActivate: () => seen.push(`guard ${name}`) > 0,
    transform: (value: unknown, { type }) => {
      if (type === 'body') seen.push(`pipe ${name}`);
      return value;
    },
    intercept: (_context, next: CallHandler) => {
      seen.push(`before ${name}`);
      return next.handle().pipe(
        map((value: unknown) => {
          seen.push(`after ${name}`);
          return value;
        }),
      );
    },
  };
}

class Numbered {
  @IsInt() n!: number;
}

@UseGuards(noting('class'))
@UseInterceptors(noting('class'))
@UsePipes(noting('class'))
@WebSocketGateway()
class LayeredGateway {
  @UseGuards(noting('method'))
  @UseInterceptors(noting('method'))
  @UsePipes(noting('method'))
  @SubscribeMessage('layered')
  answer(@MessageBody(noting('parameter')) data: unknown): unknown {
    seen.push('handler');
    return data;
  }
}

async function withClient(providers: Provider[], run: (client: TestClient) => Promise<void>): Promise<void> {
  await using server = await startTestServer({}, [feature(providers)]);
  await using client = await connect(server.url);
  await run(client);
  expect(await client.request('echo', 'still here', 'last')).toMatchObject({ id: 'last' });
}

describe('layers', () => {
  const inside = ['guard class', 'guard method', 'before class', 'before method'];
  const pipes = ['pipe class', 'pipe method', 'pipe parameter', 'handler', 'after method', 'after class'];

  it('run in Nest’s order: class, method, parameter', () =>
    withClient([LayeredGateway], async (client) => {
      seen.length = 0;
      expect(await client.request('layered', 'x')).toMatchObject({ data: 'x' });
      expect(seen).toEqual([...inside, ...pipes]);
    }));

  it('hold for every handler where a module provides them as APP_GUARD, APP_INTERCEPTOR, APP_PIPE', async () => {
    const everywhere = [APP_GUARD, APP_INTERCEPTOR, APP_PIPE].map((provide) => ({
      provide,
      useValue: noting('app'),
    }));
    await withClient([LayeredGateway, ...everywhere], async (client) => {
      seen.length = 0;
      await client.request('layered', 'x');
      const [guardClass, guardMethod, ...before] = inside;
      expect(seen).toEqual([
        'guard app',
        guardClass,
        guardMethod,
        'before app',
        ...before,
        'pipe app',
        ...pipes,
        'after app',
      ]);
      seen.length = 0;
      expect(await client.request('echo', 'built in')).toMatchObject({ data: 'built in' });
      expect(seen).toEqual(['guard app', 'before app', 'pipe app', 'after app']);
      seen.length = 0;
      expect(await client.request('send_message', { targetUserId: 5 })).toMatchObject({ code: 'VALIDATION_FAILED' });
    });
  });

  it('refuse for every handler where the guard of all does', async () => {
    const refuse = { provide: APP_GUARD, useValue: { canActivate: () => Promise.reject(new ForbiddenException()) } };
    await using server = await startTestServer({}, [feature([refuse])]);
    await using client = await connect(server.url);
    expect(await client.request('ping', null, 'x')).toMatchObject({ id: 'x', code: 'FORBIDDEN' });
  });

  it('of a gateway that validates: ours stays beside those of the user', async () => {
    @UseInterceptors(noting('own'))
    @RealtimeGateway()
    class BothGateway {
      @SubscribeMessage('both')
      answer(@MessageBody() data: Numbered): object {
        return { isInstance: data instanceof Numbered };
      }
    }
    await withClient([BothGateway], async (client) => {
      expect(await client.request('both', { n: 1 })).toMatchObject({ data: { isInstance: true } });
      expect(await client.request('both', { n: 'x' })).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { n: ['n must be an integer number'] },
      });
    });
  });
});
