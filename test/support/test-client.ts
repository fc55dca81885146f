import type { Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import { mintToken } from './test-server.js';

export interface ClientSetup extends ClientOptions {
  /** Claims of the token it brings; false: it brings none. */
  readonly claims?: Record<string, unknown> | false;
  readonly protocols?: string[];
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export type Message = Record<string, unknown> & { readonly type: string };

/** A JSON client whose messages are awaited one after the other. */
export class TestClient implements AsyncDisposable {
  /** Resolves with the close code and reason. */
  readonly closed: Promise<Closed>;
  private readonly arrived: Message[] = [];
  private readonly waiting: ((message: Message) => void)[] = [];

  constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const message = isBinary ? { type: 'binary', bytes: data } : (JSON.parse(data.toString()) as Message);
      const waiting = this.waiting.shift();
      if (waiting) waiting(message);
      else this.arrived.push(message);
    });
  }

  /** Sends an object as JSON, text and bytes as they are. */
  send(message: object | string | Uint8Array): void {
    const isRaw = typeof message === 'string' || message instanceof Uint8Array;
    this.socket.send(isRaw ? message : JSON.stringify(message));
  }

  /** The next message that has not been awaited yet. Fails when the connection closes first. */
  next(): Promise<Message> {
    const present = this.arrived.shift();
    if (present) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      this.waiting.push(resolve);
      void this.closed.then(({ code }) => reject(new Error(`closed with ${code} while a message was awaited`)));
    });
  }

  /** Sends a message and awaits the next one. */
  async request(type: string, data?: unknown, id: string | number = 'r'): Promise<Message> {
    this.send({ type, id, data });
    return this.next();
  }

  /** Bytes that came over the socket, handshake and frame headers included. */
  get bytesRead(): number {
    return (Reflect.get(this.socket, '_socket') as Socket).bytesRead;
  }

  /** Messages that have come and were not awaited. */
  get unread(): readonly Message[] {
    return this.arrived;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.terminate();
    await this.closed;
  }
}

/** Connects without waiting: for clients that are about to be refused. */
export function open(url: string, { claims = {}, protocols = [], headers, ...options }: ClientSetup = {}): TestClient {
  const authorization = claims === false ? {} : { authorization: `Bearer ${mintToken(claims)}` };
  return new TestClient(new WebSocket(url, protocols, { ...options, headers: { ...authorization, ...headers } }));
}

/** Connects and resolves once the connection is open. */
export async function connect(url: string, setup: ClientSetup = {}): Promise<TestClient> {
  const client = open(url, setup);
  await new Promise<void>((resolve, reject) => {
    client.socket.once('open', resolve);
    client.socket.once('error', reject);
  });
  return client;
}
