import { Inject, Injectable } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { feature } from '../support/feature.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

@Injectable()
class Greeting {
  readonly text = 'hello';
}

@RealtimeGateway()
class RealtimeTestGateway {
  constructor(
    private readonly greeting: Greeting,
    @Inject('SUFFIX') private readonly suffix: string,
  ) {}

  @SubscribeMessage('test.realtime')
  answer(): string {
    return this.greeting.text + this.suffix;
  }
}

@WebSocketGateway()
class StockGateway {
  @WebSocketServer() server: { clients: Set<WebSocket> } | undefined;
  startedWith: unknown;

  afterInit(server: unknown): void {
    this.startedWith = server;
  }

  @SubscribeMessage('test.stock')
  answer(): object {
    return { clients: this.server?.clients.size, isTheSame: this.startedWith === this.server };
  }

  @SubscribeMessage('test.shout')
  shout(): void {
    for (const client of this.server?.clients ?? []) client.send('{"type":"shouted"}');
  }
}

@RealtimeGateway({ path: '/side' })
class SideGateway {
  @SubscribeMessage('test.stock')
  answer(): string {
    return 'from the side';
  }
}

@WebSocketGateway({ path: 'no-slash/' })
class UnslashedGateway {
  @SubscribeMessage('test.where')
  answer(): string {
    return 'here';
  }
}

@WebSocketGateway({ path: '/ws' })
class ExplicitHomeGateway {
  @SubscribeMessage('test.home')
  answer(): string {
    return 'at home';
  }
}

class TwinGateway {
  answer(): void {}
}

describe('gateways', () => {
  const providers = [Greeting, { provide: 'SUFFIX', useValue: '!' }, RealtimeTestGateway, StockGateway];

  it('share one path, ours and stock ones, with injected services', async () => {
    await using server = await startTestServer({}, [feature(providers)]);
    await using client = await connect(server.url);
    expect(await client.request('test.realtime')).toMatchObject({ data: 'hello!' });
    expect(await client.request('test.stock')).toMatchObject({ data: { clients: 1, isTheSame: true } });
    expect(await client.request('echo', 'too')).toMatchObject({ data: 'too' });
  });

  it('reach every client of their path through @WebSocketServer()', async () => {
    await using server = await startTestServer({}, [feature(providers)]);
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    first.send({ type: 'test.shout' });
    expect(await first.next()).toEqual({ type: 'shouted' });
    expect(await second.next()).toEqual({ type: 'shouted' });
  });

  it('may have a path of their own, with types of their own', async () => {
    await using server = await startTestServer({}, [feature([...providers, SideGateway, UnslashedGateway])]);
    await using side = await connect(`${server.http.replace('http', 'ws')}/side`);
    expect(await side.request('test.stock', null, 1)).toMatchObject({ id: 1, data: 'from the side' });
    expect(await side.request('echo', 1, 2)).toMatchObject({ id: 2, code: 'UNKNOWN_MESSAGE_TYPE' });
    await using unslashed = await connect(`${server.http.replace('http', 'ws')}/no-slash`);
    expect(await unslashed.request('test.where')).toMatchObject({ data: 'here' });
    await using elsewhere = open(`${server.http.replace('http', 'ws')}/nowhere`);
    const [, response] = await new Promise<[unknown, { statusCode?: number | undefined }]>((resolve) => {
      elsewhere.socket.once('unexpected-response', (request, answer) => resolve([request, answer]));
    });
    expect(response.statusCode).toBe(404);
  });

  it('are at home where they name WS_PATH itself', async () => {
    await using server = await startTestServer({}, [feature([ExplicitHomeGateway])]);
    await using client = await connect(server.url);
    expect(await client.request('test.home')).toMatchObject({ data: 'at home' });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('may not answer the same type twice on one path; the start names both methods', async () => {
    SubscribeMessage('test.stock')(
      TwinGateway.prototype,
      'answer',
      Object.getOwnPropertyDescriptor(TwinGateway.prototype, 'answer') ?? {},
    );
    for (const path of [undefined, '/ws']) {
      WebSocketGateway(path === undefined ? {} : { path })(TwinGateway);
      await expect(startTestServer({}, [feature([StockGateway, TwinGateway])])).rejects.toThrow(
        'The message type "test.stock" is registered twice: by StockGateway.answer and by TwinGateway.answer',
      );
    }
  });

  it('cannot take a port or a namespace: the start says why', async () => {
    @WebSocketGateway(4_000)
    class PortGateway {}
    @WebSocketGateway({ namespace: 'rooms' })
    class NamespaceGateway {}
    await expect(startTestServer({}, [feature([PortGateway])])).rejects.toThrow('@WebSocketGateway(4000) sets a port');
    await expect(startTestServer({}, [feature([NamespaceGateway])])).rejects.toThrow('sets the namespace /rooms');
  });
});
