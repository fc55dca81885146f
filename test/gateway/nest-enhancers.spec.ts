import {
  CanActivate,
  Injectable,
  ParseIntPipe,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Provider,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import { catchError, delay, map, of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { sessionOf } from '../../src/access/guards/session-of.js';
import type { SessionCheck, SessionGuard } from '../../src/access/guards/session-guard.js';
import type { MessageContext } from '../../src/dispatch/calls/message-context.js';
import { GatehouseError } from '../../src/protocol/gatehouse-error.js';
import { feature } from '../support/feature.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

abstract class NameOfModule {
  abstract readonly text: string;
}

/** Decides by the payload, and notes what it saw of the context. */
@Injectable()
class PayloadGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean | Promise<boolean> | Observable<boolean> {
    const ws = context.switchToWs();
    expect([context.getType(), ws.getPattern()]).toEqual(['ws', context.getArgByIndex<MessageContext>(2).type]);
    expect(sessionOf(context).userId).toBe('alice');
    switch (ws.getData<string>()) {
      case 'false':
        return false;
      case 'promised false':
        return Promise.resolve(false);
      case 'observed false':
        return of(false);
      case 'throws':
        throw new WsException({ code: 'NOT_NOW', message: 'Not now' });
      case 'rejects':
        return Promise.reject(new Error('secret'));
      case 'late':
        return of(true).pipe(delay(10));
      default:
        return true;
    }
  }
}

@Injectable()
class InventiveInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const data = context.switchToWs().getData<string>();
    if (data === 'instead') return of('cached');
    if (data === 'refuse') return throwError(() => new GatehouseError('TIMEOUT'));
    if (data === 'explode') throw new Error('secret');
    return next.handle().pipe(
      map((value: unknown) => ({ wrapped: value })),
      catchError((error: Error) => of(`swallowed ${error.message}`)),
    );
  }
}

class Numbered {
  @IsInt() n!: number;
}

@UseGuards(PayloadGuard)
@WebSocketGateway()
class ClassGuardedGateway {
  @SubscribeMessage('class.guarded')
  answer(): string {
    return 'passed';
  }
}

@WebSocketGateway()
class EnhancedGateway {
  @UseGuards(PayloadGuard)
  @SubscribeMessage('guarded')
  guarded(): string {
    return 'passed';
  }

  @UseInterceptors(InventiveInterceptor)
  @SubscribeMessage('intercepted')
  intercepted(@MessageBody() data: string): string {
    if (data === 'fail') throw new Error('failure');
    return data;
  }

  @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
  @SubscribeMessage('nest.validated')
  validated(@MessageBody() data: Numbered): object {
    return { n: data.n, isInstance: data instanceof Numbered, keys: Object.keys(data) };
  }

  @UsePipes(ParseIntPipe)
  @SubscribeMessage('parsed')
  parsed(@MessageBody() n: number): number {
    return n + 1;
  }
}

async function withClient(providers: Provider[], run: (client: TestClient) => Promise<void>): Promise<void> {
  await using server = await startTestServer({}, [feature(providers)]);
  await using client = await connect(server.url);
  await run(client);
  expect(await client.request('echo', 'still here', 'last')).toMatchObject({ id: 'last' });
}

describe('guards', () => {
  const forbidden = { type: 'error', id: 'g', code: 'FORBIDDEN', message: 'Insufficient privileges' };
  it.each(['guarded', 'class.guarded'])('%s: let pass, refuse or throw, at once or later', (type) =>
    withClient([EnhancedGateway, ClassGuardedGateway], async (client) => {
      for (const data of ['passes', 'late']) {
        expect(await client.request(type, data, 'g')).toMatchObject({ id: 'g', data: 'passed' });
      }
      for (const data of ['false', 'promised false', 'observed false']) {
        expect(await client.request(type, data, 'g')).toEqual({ v: 1, ...forbidden });
      }
      expect(await client.request(type, 'throws', 'g')).toMatchObject({ id: 'g', code: 'NOT_NOW', message: 'Not now' });
      expect(await client.request(type, 'rejects', 'g')).toEqual({
        v: 1,
        type: 'error',
        id: 'g',
        code: 'INTERNAL_ERROR',
        message: 'Internal error',
      });
    }),
  );

  it('that know only the session are those of the gateway’s own module', async () => {
    @Injectable()
    class NamedGuard implements SessionGuard {
      constructor(private readonly name: NameOfModule) {}
      canActivate(): boolean {
        return true;
      }
      checkFor(): SessionCheck {
        return () => {
          throw new WsException(this.name.text);
        };
      }
    }
    const module = (text: string) => {
      @UseGuards(NamedGuard)
      @WebSocketGateway()
      class NamedGateway {
        @SubscribeMessage(text)
        answer(): void {}
      }
      return feature([{ provide: NameOfModule, useValue: { text } }, NamedGateway]);
    };
    await using server = await startTestServer({}, [module('first'), module('second')]);
    await using client = await connect(server.url);
    expect(await client.request('first')).toMatchObject({ message: 'first' });
    expect(await client.request('second')).toMatchObject({ message: 'second' });
  });
});

describe('interceptors', () => {
  it('map, answer instead, swallow errors, refuse, explode', () =>
    withClient([EnhancedGateway], async (client) => {
      expect(await client.request('intercepted', 'x', 1)).toMatchObject({ id: 1, data: { wrapped: 'x' } });
      expect(await client.request('intercepted', 'instead', 2)).toMatchObject({ id: 2, data: 'cached' });
      expect(await client.request('intercepted', 'fail', 3)).toMatchObject({ id: 3, data: 'swallowed failure' });
      expect(await client.request('intercepted', 'refuse', 4)).toMatchObject({ id: 4, code: 'TIMEOUT' });
      expect(await client.request('intercepted', 'explode', 5)).toMatchObject({ id: 5, code: 'INTERNAL_ERROR' });
    }));
});

describe('pipes of Nest', () => {
  it('ValidationPipe transforms, strips and lists its reasons', () =>
    withClient([EnhancedGateway], async (client) => {
      expect(await client.request('nest.validated', { n: 1, extra: 2 })).toMatchObject({
        data: { n: 1, isInstance: true, keys: ['n'] },
      });
      expect(await client.request('nest.validated', { n: 'x' }, 'v')).toEqual({
        v: 1,
        type: 'error',
        id: 'v',
        code: 'VALIDATION_FAILED',
        message: 'Validation failed',
        details: { data: ['n must be an integer number'] },
      });
    }));

  it('ParseIntPipe parses', () =>
    withClient([EnhancedGateway], async (client) => {
      expect(await client.request('parsed', '41')).toMatchObject({ data: 42 });
      expect(await client.request('parsed', 'x', 'p')).toMatchObject({ id: 'p', code: 'VALIDATION_FAILED' });
    }));
});
