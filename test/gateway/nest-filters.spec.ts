import {
  Catch,
  Injectable,
  Scope,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { sessionOf } from '../../src/access/guards/session-of.js';
import { GatehouseError } from '../../src/protocol/gatehouse-error.js';
import { feature } from '../support/feature.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

class OutOfStock extends Error {}
class Elsewhere extends Error {}

@Catch(OutOfStock)
class TranslatingFilter implements ExceptionFilter {
  catch(_exception: OutOfStock, host: ArgumentsHost): WsException {
    return new WsException({ code: 'OUT_OF_STOCK', message: `none for ${host.switchToWs().getPattern()}` });
  }
}

@Catch(OutOfStock)
class AnsweringFilter implements ExceptionFilter {
  catch(_exception: OutOfStock, host: ArgumentsHost): void {
    host
      .switchToWs()
      .getClient<WebSocket>()
      .send(JSON.stringify({ type: 'sorry', data: host.switchToWs().getData<unknown>() }));
  }
}

@Catch()
class LateAnsweringFilter implements ExceptionFilter {
  async catch(_exception: unknown, host: ArgumentsHost): Promise<void> {
    await Promise.resolve();
    host.switchToWs().getClient<WebSocket>().send('{"type":"sorry later"}');
  }
}

@Catch()
class SilentFilter implements ExceptionFilter {
  catch(): void {}
}

@Catch()
class ThrowingFilter implements ExceptionFilter {
  catch(exception: Error): never {
    throw exception.message === 'code' ? new GatehouseError('TIMEOUT') : new Error('secret of the filter');
  }
}

@Catch()
class RejectingFilter implements ExceptionFilter {
  async catch(): Promise<never> {
    return Promise.reject(new Error('secret of the filter'));
  }
}

@Catch(Elsewhere)
class OtherFilter implements ExceptionFilter {
  catch(): Error {
    return new WsException('must not be asked');
  }
}

@Injectable({ scope: Scope.REQUEST })
@Catch()
class RequestScopedFilter implements ExceptionFilter {
  private readonly born = 'with its constructor';

  catch(): Error {
    return new WsException(`made ${this.born}`);
  }
}

function gatewayWith(filter?: new () => ExceptionFilter, type = 'fail'): new () => object {
  @WebSocketGateway()
  class FailingGateway {
    @SubscribeMessage(type)
    fail(@MessageBody() text: string): never {
      throw new OutOfStock(text);
    }
  }
  if (filter) UseFilters(filter)(FailingGateway);
  return FailingGateway;
}

async function withClient(providers: Provider[], run: (client: TestClient) => Promise<void>): Promise<void> {
  await using server = await startTestServer({}, [feature(providers)]);
  await using client = await connect(server.url);
  await run(client);
  expect(await client.request('echo', 'still here', 'last')).toMatchObject({ id: 'last' });
}

const internal = { v: 1, type: 'error', id: 'f', code: 'INTERNAL_ERROR', message: 'Internal error' };

describe('exception filters', () => {
  it('answer with the exception they return, with the id of the request', () =>
    withClient([gatewayWith(TranslatingFilter)], async (client) => {
      expect(await client.request('fail', 'x', 'f')).toEqual({
        v: 1,
        type: 'error',
        id: 'f',
        code: 'OUT_OF_STOCK',
        message: 'none for fail',
      });
    }));

  it('may answer by themselves; then nothing is added', () =>
    withClient([gatewayWith(AnsweringFilter), gatewayWith(LateAnsweringFilter, 'fail.late')], async (client) => {
      expect(await client.request('fail', 'x', 'f')).toEqual({ type: 'sorry', data: 'x' });
      expect(await client.request('fail.late', 'x', 'f')).toEqual({ type: 'sorry later' });
      expect(await client.request('ping')).toMatchObject({ type: 'ping_reply' });
    }));

  it('that say nothing do not leave the client waiting', () =>
    withClient([gatewayWith(SilentFilter)], async (client) => {
      expect(await client.request('fail', 'x', 'f')).toEqual(internal);
    }));

  it('that throw are answered for, and what they throw stays secret', () =>
    withClient([gatewayWith(ThrowingFilter), gatewayWith(RejectingFilter, 'fail.later')], async (client) => {
      expect(await client.request('fail', 'x', 'f')).toEqual(internal);
      expect(await client.request('fail', 'code', 'f')).toMatchObject({ id: 'f', code: 'TIMEOUT' });
      expect(await client.request('fail.later', 'x', 'f')).toEqual(internal);
    }));

  it('that do not match are not asked', () =>
    withClient([gatewayWith(OtherFilter)], async (client) => {
      expect(await client.request('fail', 'x', 'f')).toEqual(internal);
    }));

  it('made per connection have their constructor behind them', () =>
    withClient([gatewayWith(RequestScopedFilter)], async (client) => {
      expect(await client.request('fail', 'x', 'f')).toMatchObject({ id: 'f', message: 'made with its constructor' });
    }));

  it('hold for all handlers where a module provides them as APP_FILTER, after those nearer to the handler', () => {
    const everywhere = { provide: APP_FILTER, useClass: TranslatingFilter };
    return withClient([everywhere, gatewayWith(), gatewayWith(AnsweringFilter, 'fail.own')], async (client) => {
      expect(await client.request('fail', 'x', 'f')).toMatchObject({ id: 'f', code: 'OUT_OF_STOCK' });
      expect(await client.request('fail.own', 'x', 'f')).toEqual({ type: 'sorry', data: 'x' });
    });
  });

  it('are not asked about what never reached a handler', () =>
    withClient([{ provide: APP_FILTER, useClass: AnsweringFilter }], async (client) => {
      expect(await client.request('nobody.knows', 'x', 'f')).toMatchObject({ id: 'f', code: 'UNKNOWN_MESSAGE_TYPE' });
    }));
});

describe('a session outside a connection', () => {
  it('is not there', () => {
    expect(() => sessionOf({ getType: () => 'http' } as never)).toThrow('no session outside a WebSocket');
  });
});
