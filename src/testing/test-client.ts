import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A message from the server. */
export interface ServerSent<T = unknown> {
  readonly type: string;
  readonly id?: string | number;
  readonly data: T;
  readonly channel?: string;
  readonly seq?: number;
  readonly from?: { readonly userId: string; readonly sessionId: string };
}

/** How a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A request got an error. */
export class ReplyError extends Error {
  /** The code of the error, such as `FORBIDDEN`. */
  readonly code: string;
  /** For `VALIDATION_FAILED`: the reasons by field. */
  readonly details: Readonly<Record<string, readonly string[]>> | undefined;
  /** For `CONFLICT`: the value as it is. */
  readonly data: unknown;

  constructor(reply: Record<string, unknown>) {
    super(String(reply.message));
    this.name = 'ReplyError';
    this.code = String(reply.code);
    this.details = reply.details as ReplyError['details'];
    this.data = reply.data;
  }
}

interface Waiting {
  readonly accepts: (message: ServerSent) => boolean;
  readonly resolve: (message: ServerSent) => void;
  readonly reject: (error: Error) => void;
}

/** A JSON client for tests. `await using` closes it. */
export class TestClient implements AsyncDisposable {
  /** Resolves when the connection has ended. */
  readonly closed: Promise<Closed>;
  private readonly unread: ServerSent[] = [];
  private readonly waiting: Waiting[] = [];
  private lastId = 0;

  private constructor(
    private readonly socket: WebSocket,
    private readonly violations: Error[],
  ) {
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        const end = { code, reason: reason.toString() };
        for (const { reject } of this.waiting.splice(0)) reject(new Error(`The connection closed with ${code}`));
        resolve(end);
      });
    });
    socket.on('message', (data: Buffer) => this.arrived(JSON.parse(data.toString()) as ServerSent));
  }

  /**
   * Connects with a token, or without one if it is undefined.
   *
   * @param violations of the contract: a request that is answered INTERNAL_ERROR takes the oldest, and rejects with it
   * @throws Error where the upgrade is refused
   */
  static async connect(url: string, token: string | undefined, violations: Error[] = []): Promise<TestClient> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, ['v1.json'], { headers });
    const client = new TestClient(socket, violations);
    await once(socket, 'open');
    socket.on('error', () => undefined);
    return client;
  }

  /**
   * Sends a message and waits for its reply. Other messages are kept for `next`.
   *
   * @returns the data of the reply
   * @throws ReplyError where it is answered with an error; ContractViolation where that came of a message which the contract does
   *   not declare
   */
  async request<T = unknown>(type: string, data?: unknown): Promise<T> {
    this.lastId += 1;
    const id = this.lastId;
    const reply = this.take((message) => message.id === id);
    this.send({ type, id, data });
    const message = await reply;
    if (message.type === 'error') throw this.failureOf(message as unknown as Record<string, unknown>);
    return message.data as T;
  }

  /** Sends a message without waiting for a reply. */
  send(message: { readonly type: string; readonly id?: string | number; readonly data?: unknown }): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Returns the first unread message, of this type or of any. Waits until there is one. */
  next<T = unknown>(type?: string): Promise<ServerSent<T>> {
    return this.take((message) => type === undefined || message.type === type) as Promise<ServerSent<T>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState !== WebSocket.CLOSED) this.socket.terminate();
    await this.closed;
  }

  /** A client is told nothing of a fault; a test is told what to do about it. */
  private failureOf(reply: Record<string, unknown>): Error {
    const violation = reply.code === 'INTERNAL_ERROR' ? this.violations.shift() : undefined;
    return violation ?? new ReplyError(reply);
  }

  private take(accepts: Waiting['accepts']): Promise<ServerSent> {
    const index = this.unread.findIndex((message) => accepts(message));
    const [present] = index === -1 ? [] : this.unread.splice(index, 1);
    if (present) return Promise.resolve(present);
    if (this.socket.readyState > WebSocket.OPEN) return Promise.reject(new Error('The connection is closed'));
    return new Promise((resolve, reject) => this.waiting.push({ accepts, resolve, reject }));
  }

  private arrived(message: ServerSent): void {
    const index = this.waiting.findIndex(({ accepts }) => accepts(message));
    const [waiting] = index === -1 ? [] : this.waiting.splice(index, 1);
    if (waiting) waiting.resolve(message);
    else this.unread.push(message);
  }
}
