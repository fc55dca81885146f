import 'reflect-metadata';
import { Body, Controller, Get, Module, Post, ValidationPipe, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsInt, IsString, Length } from 'class-validator';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { UnusableSettings } from '../../config/unusable-settings.js';
import { Channels } from '../../src/channels/channels.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { contractOf } from '../../src/contract-of.js';
import { GatehouseModule, type GatehouseOptions } from '../../src/gatehouse.module.js';
import { installGatehouse } from '../../src/install-gatehouse.js';
import { api } from '../support/api-client.js';
import { fetch } from '../support/fetch.js';
import { RawClient } from '../support/raw-client.js';
import { connect } from '../support/test-client.js';
import { mintToken, TEST_ENVIRONMENT } from '../support/test-server.js';

class NewOrder {
  @IsInt()
  amount!: number;
}

@Controller('orders')
class OrdersController {
  @Get()
  list(): string[] {
    return ['one'];
  }

  @Post()
  create(@Body() { amount }: NewOrder): { amount: number } {
    return { amount };
  }
}

class Greeting {
  @IsString()
  @Length(1, 20)
  name!: string;
}

@RealtimeGateway()
class GreetingGateway {
  constructor(private readonly channels: Channels) {}

  @SubscribeMessage('greeting.send')
  greet(@MessageBody() { name }: Greeting): { text: string; known: boolean } {
    return { text: `Hello ${name}`, known: this.channels.named('room:lobby').localName === 'lobby' };
  }
}

interface Host extends AsyncDisposable {
  readonly app: INestApplication<Server>;
  readonly http: string;
  readonly url: string;
}

/** An application of somebody else's, with pipes, CORS and a Swagger page of its own. */
async function startHost(
  options: GatehouseOptions = {},
  setUp: (app: INestApplication<Server>) => void = () => {},
): Promise<Host> {
  const gatehouse = GatehouseModule.forRoot({
    environment: { ...TEST_ENVIRONMENT, AUDIT_LOG: 'off', LOG_LEVEL: 'error' },
    ...options,
  });
  @Module({ imports: [gatehouse], controllers: [OrdersController], providers: [GreetingGateway] })
  class HostModule {}

  const app = await NestFactory.create<INestApplication<Server>>(HostModule, { logger: false, abortOnError: false });
  app.useGlobalPipes(new ValidationPipe());
  app.enableCors({ origin: 'https://host.example' });
  // Not all signals, as an empty list means: a listener for SIGSEGV takes V8's own away, and WebAssembly in this process crashes.
  app.enableShutdownHooks(['SIGTERM']);
  setUp(app);
  await installGatehouse(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const http = `http://127.0.0.1:${port}`;
  return { app, http, url: `ws://127.0.0.1:${port}/ws`, [Symbol.asyncDispose]: () => app.close() };
}

const asJson = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

describe('a Nest application that imports Gatehouse', () => {
  it('keeps its own controllers, bodies, pipes, CORS and headers', async () => {
    await using host = await startHost();
    const listed = await fetch(`${host.http}/orders`, { headers: { origin: 'https://host.example' } });
    expect(await listed.json()).toEqual(['one']);
    expect(listed.headers.get('access-control-allow-origin')).toBe('https://host.example');
    expect(listed.headers.get('content-security-policy')).toBeNull();
    const created = await fetch(`${host.http}/orders`, asJson({ amount: 3 }));
    expect([created.status, await created.json()]).toEqual([201, { amount: 3 }]);
    expect((await fetch(`${host.http}/orders`, asJson({ amount: 'x' }))).status).toBe(400);
    const missing = await fetch(`${host.http}/nowhere`);
    expect([missing.status, await missing.json()]).toMatchObject([404, { message: 'Cannot GET /nowhere' }]);
  });

  it('serves its gateways, wherever their modules are, and what Gatehouse has built in', async () => {
    await using host = await startHost();
    await using client = await connect(host.url);
    expect(await client.request('greeting.send', { name: 'Ada' })).toMatchObject({
      type: 'greeting.send_reply',
      data: { text: 'Hello Ada', known: true },
    });
    expect(await client.request('greeting.send', {})).toMatchObject({ type: 'error', code: 'VALIDATION_FAILED' });
    expect(await client.request('echo', 'x')).toMatchObject({ data: 'x' });
    expect(await client.request('subscribe', { channel: 'room:lobby' })).toMatchObject({ type: 'subscribe_reply' });
  });

  it('has the HTTP endpoints below the prefix', async () => {
    await using host = await startHost();
    const below = { http: `${host.http}/gatehouse` };
    expect((await fetch(`${below.http}/health`)).status).toBe(200);
    expect((await fetch(`${below.http}/ready`)).status).toBe(200);
    const metrics = await fetch(`${below.http}/metrics`);
    expect(await metrics.text()).toContain('websocket_active_connections 0');
    expect(metrics.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await api(below, 'POST /api/publish', { body: { channel: 'room:lobby', data: 1 } })).status).toBe(200);
    expect((await api(below, 'GET /api/nodes', { token: false })).status).toBe(401);
    expect((await api(below, 'DELETE /api/nodes')).headers.get('allow')).toBe('HEAD, GET');
    expect((await api(below, 'GET /api/nothing')).status).toBe(404);
    expect((await fetch(`${below.http}/docs-json`)).status).toBe(200);
    const types = await fetch(`${below.http}/contract/messages.ts`);
    expect(await types.text()).toContain("'greeting.send': { data: Greeting; reply: unknown };");
    expect((await contractOf(host.app)).get('asyncapi.json')).toContain('"greeting.send.request"');
    for (const path of ['/health', '/metrics', '/api/nodes', '/docs', '/contract']) {
      expect([path, (await fetch(`${host.http}${path}`)).status]).toEqual([path, 404]);
    }
  });

  it('keeps its global prefix and its Swagger page', async () => {
    await using host = await startHost({ httpPrefix: '/live' }, (app) => {
      app.setGlobalPrefix('v1');
      SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, new DocumentBuilder().build()));
    });
    expect((await fetch(`${host.http}/v1/orders`)).status).toBe(200);
    expect((await fetch(`${host.http}/docs`)).status).toBe(200);
    expect((await fetch(`${host.http}/v1/live/health`)).status).toBe(200);
    const nodes = await api({ http: `${host.http}/v1/live` }, 'GET /api/nodes');
    expect(nodes.status).toBe(200);
    expect((await api({ http: `${host.http}/v1/live` }, 'GET /api/nodes', { token: false })).status).toBe(401);
  });

  it('keeps the WebSocket servers that it has at other paths', async () => {
    const others = new WebSocketServer({ noServer: true });
    await using host = await startHost({}, (app) => {
      app.getHttpServer().on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        if (request.url !== '/other') return;
        others.handleUpgrade(request, socket, head, (client) => client.send('from the other'));
      });
    });
    await using client = await connect(host.url);
    expect(await client.request('echo', 'x')).toMatchObject({ data: 'x' });
    const headers = { Authorization: `Bearer ${mintToken()}` };
    await using proxied = await RawClient.upgrade(Number(new URL(host.http).port), { path: host.url, headers });
    expect((await proxied.answer()).status).toBe(101);
    const other = new WebSocket(host.url.replace('/ws', '/other'));
    const [message] = (await once(other, 'message')) as [Buffer];
    expect(message.toString()).toBe('from the other');
    other.terminate();
  });

  it('drains its clients when it closes', async () => {
    const host = await startHost();
    await using client = await connect(host.url);
    await host[Symbol.asyncDispose]();
    expect(await client.closed).toMatchObject({ code: 1012 });
  });

  it('stands beside another one in the same process, each with sessions and metrics of its own', async () => {
    await using one = await startHost();
    await using other = await startHost();
    await using _ = await connect(one.url);
    const open = async ({ http }: Host): Promise<string | undefined> =>
      /^websocket_active_connections (\d+)$/m.exec(await (await fetch(`${http}/gatehouse/metrics`)).text())?.[1];
    expect(await open(one)).toBe('1');
    expect(await open(other)).toBe('0');
  });

  it('takes settings by name, and names every one that it cannot use', async () => {
    await using host = await startHost({ settings: { WS_PATH: '/live', MESSAGE_RATE: 7 } });
    await using client = await connect(host.url.replace('/ws', '/live'));
    expect(await client.request('hello', {})).toMatchObject({ data: { limits: { messageRate: 7 } } });
    const unusable = (settings: GatehouseOptions['settings'] = {}) => GatehouseModule.forRoot({ settings });
    expect(() => unusable({ MESSAGE_RAET: 1 })).toThrow(UnusableSettings);
    expect(() => unusable({ MESSAGE_RAET: 1 })).toThrow('MESSAGE_RAET is not a setting of Gatehouse');
    expect(() => unusable({ PORT: -1 })).toThrow('PORT must be');
  });

  it('is told what to do if it does not import the module', async () => {
    @Module({})
    class Empty {}
    const app = await NestFactory.create(Empty, { logger: false });
    await expect(installGatehouse(app)).rejects.toThrow(
      'The application does not import Gatehouse. Add GatehouseModule.forRoot() to the imports of its root module',
    );
    await app.close();
  });

  it('is told what to do if it runs on a platform that Gatehouse does not support', async () => {
    class FastifyStandIn extends ExpressAdapter {
      override getType(): string {
        return 'fastify';
      }
    }
    const gatehouse = GatehouseModule.forRoot({ environment: { ...TEST_ENVIRONMENT, AUDIT_LOG: 'off' } });
    const app = await NestFactory.create(gatehouse, new FastifyStandIn(), { logger: false });
    await expect(installGatehouse(app)).rejects.toThrow(
      'The application runs on fastify, and Gatehouse needs @nestjs/platform-express. Create the application with NestFactory.create(AppModule)',
    );
    await app.close();
  });
});
