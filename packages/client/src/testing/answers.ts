import type { ErrorCode, HelloReply, PresenceReply, SubscribeRequest } from '@gatehouse/protocol';
import { isObject } from '../incoming.js';
import type { HistoryRequest, TestChannel } from './test-channel.js';

export interface TestRequest {
  readonly type: string;
  readonly id: string;
  readonly data: unknown;
  /** The token that the connection presented. */
  readonly token: string | undefined;
}

/** An error that a handler throws is answered with its code. */
export class Refusal extends Error {
  constructor(
    readonly code: ErrorCode | (string & {}),
    readonly retryAfter?: number,
  ) {
    super(code);
  }
}

export type TestHandler = (data: unknown, request: TestRequest) => unknown;

export interface TestSession {
  readonly id: string;
  readonly token: string | undefined;
  readonly channels: Map<string, { readonly presence: boolean }>;
}

/** What the answers to built-in types are about. */
export interface AnsweringServer {
  channel(name: string): TestChannel;
  publish(channel: string, data: unknown): object;
  sessions(): readonly TestSession[];
  hello(session: TestSession): HelloReply;
  now(): number;
}

type ChannelRequest = SubscribeRequest & HistoryRequest & { readonly data?: unknown };

/** How requests are answered: as the test says, and otherwise as a server answers its built-in types. */
export class Answers {
  /** What arrived, without pings and hellos. */
  readonly requests: TestRequest[] = [];
  private readonly handlers = new Map<string, TestHandler>();
  private readonly failures = new Map<string, Refusal[]>();

  constructor(private readonly server: AnsweringServer) {}

  handle(type: string, handler: TestHandler): void {
    this.handlers.set(type, handler);
  }

  failNext(type: string, code: ErrorCode, retryAfter: number | undefined): void {
    this.failures.set(type, [...(this.failures.get(type) ?? []), new Refusal(code, retryAfter)]);
  }

  /** @returns the message that answers a frame, or undefined if nothing does */
  to(frame: string, session: TestSession): object | undefined {
    const { type, id, data } = JSON.parse(frame) as TestRequest;
    const request = { type, id, data, token: session.token };
    if (type !== 'ping' && type !== 'hello') this.requests.push(request);
    try {
      const failure = this.failures.get(type)?.shift();
      if (failure !== undefined) throw failure;
      const reply = this.replyTo(request, session);
      return reply === undefined ? undefined : { v: 1, type: `${type}_reply`, id, data: reply };
    } catch (error) {
      const { code, retryAfter } = error instanceof Refusal ? error : new Refusal('INTERNAL_ERROR');
      return { v: 1, type: 'error', id, code, message: code, retryAfter };
    }
  }

  private replyTo(request: TestRequest, session: TestSession): unknown {
    const { type, data } = request;
    const handler = this.handlers.get(type);
    if (handler !== undefined) return handler(data, request);
    if (type === 'ping') return { serverTime: this.server.now() };
    if (type === 'hello') return this.server.hello(session);
    if (type === 'echo') return data ?? null;
    if (type === 'auth_refresh') return { expiresAt: null };
    if (!isObject(data) || typeof data.channel !== 'string') throw new Refusal('UNKNOWN_MESSAGE_TYPE');
    return this.replyAbout(type, data as unknown as ChannelRequest, session);
  }

  private replyAbout(type: string, request: ChannelRequest, session: TestSession): unknown {
    const { channel: name, since, presence = false } = request;
    const channel = this.server.channel(name);
    switch (type) {
      case 'subscribe':
        session.channels.set(name, { presence });
        return channel.recover(since);
      case 'unsubscribe':
        session.channels.delete(name);
        return { channel: name };
      case 'publish':
        return { channel: name, ...this.server.publish(name, request.data) };
      case 'history':
        return channel.read(request);
      case 'presence':
        return this.membersOf(name);
      default:
        throw new Refusal('UNKNOWN_MESSAGE_TYPE');
    }
  }

  private membersOf(channel: string): PresenceReply {
    const inside = this.server.sessions().filter(({ channels }) => channels.has(channel));
    const members = inside.map(({ id, token }) => ({ sessionId: id, userId: token ?? id }));
    return { members, count: members.length };
  }
}
