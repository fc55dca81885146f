import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { AwsService } from '../../src/serverless/aws/aws-clients.js';
import type { Handler } from '../../src/serverless/create-handler.js';

const FRAME_BYTES = 32_768;
const MESSAGE_BYTES = 131_072;
const IDLE_MS = 600_000;
const LIFE_MS = 7_200_000;
const INVOCATION_MS = 29_000;
const GOING_AWAY = 1001;
const STAGE = 'prod';
const FUNCTION = 'arn:aws:lambda:eu-central-1:123456789012:function:gatehouse';

interface Live {
  readonly socket: WebSocket;
  readonly connectedAt: number;
  lastActiveAt: number;
}

export interface TestGatewayOptions {
  /** Routes besides `$default`. */
  readonly routes?: readonly string[];
  readonly remainingMs?: number;
}

/**
 * API Gateway and Lambda in this process: real clients connect, every event invokes the handler, and the management
 * API takes posts. Its clock stands still unless a test moves it.
 */
export class TestGateway implements AsyncDisposable {
  handler!: Handler;
  invocations = 0;
  /** Upgrades that the handler has accepted. */
  connects = 0;
  posts = 0;
  /** Posts that are answered 429 from now on. */
  throttled = 0;
  /** So many of the next posts get no answer. */
  unanswered = 0;
  /** Connections whose posts are answered 410 although they are open. */
  readonly deaf = new Set<string>();
  /** Whether the next message of a channel is posted after the one that follows. */
  swapsNext = false;
  private swapped: (() => void) | undefined;
  /** Whether Lambda takes asynchronous invocations. */
  takesInvocations = true;
  /** Invocations of the function by itself. */
  handedOver = 0;
  private readonly connections = new Map<string, Live>();
  private readonly running = new Set<Promise<unknown>>();
  private readonly sockets: WebSocketServer;
  private readonly http: Server;
  private now = Date.now();

  private constructor(private readonly options: TestGatewayOptions) {
    this.sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES, handleProtocols: chosen });
    this.http = createServer((request, response) => void this.manage(request, response));
    this.http.on('upgrade', (request, socket, head) => void this.connect(request, socket, head));
  }

  static async start(options: TestGatewayOptions = {}): Promise<TestGateway> {
    const gateway = new TestGateway(options);
    await once(gateway.http.listen(0, '127.0.0.1'), 'listening');
    return gateway;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/${STAGE}`;
  }

  /** For the clients of the management API and of Lambda. */
  get service(): AwsService {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    return { endpoint: `http://127.0.0.1:${this.port}/${STAGE}`, region: 'eu-central-1', credentials };
  }

  get lambda(): AwsService {
    return { ...this.service, endpoint: `http://127.0.0.1:${this.port}` };
  }

  get connectionIds(): readonly string[] {
    return [...this.connections.keys()];
  }

  /** Adds a connection without a client, which takes every post. */
  addSilent(connectionId: string): void {
    this.silent.add(connectionId);
  }

  private readonly silent = new Set<string>();

  /** Lets time pass: connections that are too old or idle are cut. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const { socket, connectedAt, lastActiveAt } of this.connections.values()) {
      if (this.now - connectedAt >= LIFE_MS || this.now - lastActiveAt >= IDLE_MS)
        socket.close(GOING_AWAY, 'Going away');
    }
  }

  /** Resolves when no invocation runs. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  /** Invokes the function, as Lambda does. */
  async invoke(event: unknown): Promise<Awaited<ReturnType<Handler>>> {
    this.invocations += 1;
    const began = performance.now();
    const { remainingMs = INVOCATION_MS } = this.options;
    const running = this.handler(structuredClone(event), {
      invokedFunctionArn: FUNCTION,
      getRemainingTimeInMillis: () => remainingMs - (performance.now() - began),
    });
    const ended: Promise<unknown> = running.catch(() => {}).finally(() => this.running.delete(ended));
    this.running.add(ended);
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections.values()) {
      socket.terminate();
      if (socket.readyState !== socket.CLOSED) await once(socket, 'close');
    }
    await this.idle();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  private get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  private async connect(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {});
    const connectionId = `${randomBytes(11).toString('base64url')}=`;
    const target = new URL(request.url ?? '/', 'ws://localhost');
    const event = {
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [titled(name), String(value)]),
      ),
      queryStringParameters: Object.fromEntries(target.searchParams),
    };
    const answer = await this.invoke(this.event(connectionId, { eventType: 'CONNECT', routeKey: '$connect' }, event));
    if (answer.statusCode !== 200) {
      socket.end(`HTTP/1.1 ${answer.statusCode} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.connects += 1;
    Reflect.set(request, CHOSEN, answer.headers?.['Sec-WebSocket-Protocol']);
    this.sockets.handleUpgrade(request, socket, head, (client) => this.opened(connectionId, client));
  }

  private opened(connectionId: string, socket: WebSocket): void {
    const live: Live = { socket, connectedAt: this.now, lastActiveAt: this.now };
    this.connections.set(connectionId, live);
    limitFrames(socket);
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary) => {
      live.lastActiveAt = this.now;
      if (isBinary) socket.close(1003, 'Binary is not supported');
      else void this.message(connectionId, data.toString());
    });
    socket.on('close', (disconnectStatusCode, reason) => {
      this.connections.delete(connectionId);
      const context = { eventType: 'DISCONNECT', routeKey: '$disconnect', disconnectStatusCode };
      void this.invoke(this.event(connectionId, { ...context, disconnectReason: reason.toString() }));
    });
  }

  private async message(connectionId: string, body: string): Promise<void> {
    const routeKey = this.routeOf(body);
    await this.invoke(this.event(connectionId, { eventType: 'MESSAGE', routeKey }, { body, isBase64Encoded: false }));
  }

  /** `$request.body.type`, or `action`, as some templates have it. */
  private routeOf(body: string): string {
    try {
      const { type, action } = JSON.parse(body) as { readonly type?: string; readonly action?: string };
      return this.options.routes?.find((route) => route === (type ?? action)) ?? '$default';
    } catch {
      return '$default';
    }
  }

  private event(connectionId: string, context: object, rest: object = {}): object {
    const requestContext = {
      ...context,
      connectionId,
      connectedAt: this.connections.get(connectionId)?.connectedAt ?? this.now,
      domainName: `127.0.0.1:${this.port}`,
      stage: STAGE,
      identity: { sourceIp: '127.0.0.1' },
    };
    return { requestContext, ...rest };
  }

  private async manage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = decodeURIComponent(request.url ?? '');
    if (path.startsWith('/2015-03-31/functions/')) return this.takeInvocation(Buffer.concat(chunks), response);
    const connectionId = path.slice(`/${STAGE}/@connections/`.length);
    if (this.throttled > 0) {
      this.throttled -= 1;
      return fail(response, 429, 'LimitExceededException');
    }
    if (this.unanswered > 0) {
      this.unanswered -= 1;
      return;
    }
    if (this.silent.has(connectionId) && request.method === 'POST') {
      this.posts += 1;
      return void response.end();
    }
    const live = this.connections.get(connectionId);
    if (live === undefined || live.socket.readyState !== live.socket.OPEN || this.deaf.has(connectionId)) {
      return fail(response, 410, 'GoneException');
    }
    if (request.method === 'GET') return void response.end(JSON.stringify({ connectedAt: live.connectedAt }));
    if (request.method === 'DELETE') {
      live.socket.close(1000);
      response.statusCode = 204;
      return void response.end();
    }
    this.post(live, Buffer.concat(chunks), response);
  }

  private post(live: Live, data: Buffer, response: ServerResponse): void {
    if (data.length > MESSAGE_BYTES) return fail(response, 413, 'PayloadTooLargeException');
    this.posts += 1;
    live.lastActiveAt = this.now;
    response.end();
    const isMessage = data.includes('"type":"message"');
    if (isMessage && this.swapsNext) {
      this.swapsNext = false;
      this.swapped = () => writeFrames(live.socket, data);
      return;
    }
    writeFrames(live.socket, data);
    if (!isMessage) return;
    this.swapped?.();
    this.swapped = undefined;
  }

  private takeInvocation(payload: Buffer, response: ServerResponse): void {
    if (!this.takesInvocations) return fail(response, 429, 'TooManyRequestsException');
    this.handedOver += 1;
    response.statusCode = 202;
    response.end();
    void this.invoke(JSON.parse(payload.toString()));
  }
}

function writeFrames(socket: WebSocket, data: Buffer): void {
  for (let start = 0; start < Math.max(1, data.length); start += FRAME_BYTES) {
    const fin = start + FRAME_BYTES >= data.length;
    socket.send(data.subarray(start, start + FRAME_BYTES), { binary: false, fin });
  }
}
interface FrameReceiver {
  getData(callback: unknown): unknown;
}

const CHOSEN = Symbol('chosen');

function chosen(_offered: ReadonlySet<string>, request: IncomingMessage): string | false {
  return (Reflect.get(request, CHOSEN) as string | undefined) ?? false;
}

function titled(name: string): string {
  return name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

function fail(response: ServerResponse, status: number, name: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': name });
  response.end(JSON.stringify({ message: name }));
}

/** `ws` tells of whole messages. Its receiver knows the length of each frame before it reads it. */
function limitFrames(socket: WebSocket): void {
  const receiver = Reflect.get(socket, '_receiver') as FrameReceiver;
  const getData = receiver.getData.bind(receiver);
  receiver.getData = (callback) => {
    if (Number(Reflect.get(receiver, '_payloadLength')) <= FRAME_BYTES) return getData(callback);
    // It would ask for the data again at once.
    Reflect.set(receiver, '_loop', false);
    socket.close(1009, 'Frame too large');
    (Reflect.get(socket, '_socket') as Duplex).end();
    return undefined;
  };
}
