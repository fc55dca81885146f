import type { ErrorCode, HelloReply, Position } from '@gatehouse/protocol';
import type { Close } from '../delays.js';
import type { Environment, Fetch } from '../environment.js';
import { Answers, type TestHandler, type TestRequest, type TestSession } from './answers.js';
import { TestChannel } from './test-channel.js';
import { TestSocket, type Accepting } from './test-socket.js';
import { seededRandom, VirtualClock } from './virtual-clock.js';

export interface TestServerOptions {
  readonly seed?: number;
  readonly clock?: VirtualClock;
  /** The most that a message is under way, in milliseconds. Default: 5. */
  readonly latencyMs?: number;
  readonly heartbeat?: HelloReply['heartbeat'];
  readonly limits?: HelloReply['limits'];
  /** Limits of what is in front of the server, as `hello` names them. */
  readonly connection?: HelloReply['connection'];
  /** Namespaces whose channels keep no history. */
  readonly withoutHistory?: readonly string[];
}

/** A server in memory, in virtual time, for the tests of an application. Pass its `environment` to `createClient`. */
export class TestServer {
  readonly clock: VirtualClock;
  readonly environment: Pick<Environment, 'clock' | 'random' | 'WebSocket' | 'fetch'>;
  /** When connections were attempted, by the clock. */
  readonly attempts: number[] = [];
  /** How to answer connections. Undefined: accept them. Code 1006: as a browser sees a refused upgrade. */
  refusal: ((token: string | undefined) => Close | undefined) | undefined;
  /** What `GET /route` answers. */
  route: { status: number; headers?: Record<string, string>; body?: unknown } = { status: 404 };
  private readonly random: () => number;
  private readonly sessions = new Map<TestSocket, TestSession>();
  private readonly channels = new Map<string, TestChannel>();
  private readonly answers: Answers;
  private count = 0;
  private deaths = 0;
  private isDead = false;

  constructor(private readonly options: TestServerOptions = {}) {
    this.clock = options.clock ?? new VirtualClock();
    this.random = seededRandom(options.seed ?? 1);
    const { latencyMs = 5 } = options;
    // oxlint-disable-next-line typescript/no-this-alias -- sockets are made by `new`, and see this server
    const server = this;
    const accepting: Accepting = {
      clock: this.clock,
      latency: () => Math.round(this.random() * latencyMs),
      get deaths() {
        return server.deaths;
      },
      get isDead() {
        return server.isDead;
      },
      onConnect: (socket) => this.onConnect(socket),
      onFrame: (socket, frame) => this.onFrame(socket, frame),
      onGone: (socket) => this.onGone(socket),
    };
    const Connected = class extends TestSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, accepting);
      }
    };
    this.answers = new Answers({
      channel: (name) => this.channel(name),
      publish: (name, data) => this.publish(name, data),
      sessions: () => [...this.sessions.values()],
      hello: (session) => this.hello(session),
      now: () => this.clock.now(),
    });
    const fetch: Fetch = async () => ({
      status: this.route.status,
      headers: { get: (name) => this.route.headers?.[name] ?? null },
      json: async () => this.route.body,
    });
    this.environment = { clock: this.clock, random: this.random, WebSocket: Connected, fetch };
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.sessions.size;
  }

  /** What arrived, without pings and hellos. */
  get requests(): readonly TestRequest[] {
    return this.answers.requests;
  }

  /** Answers the requests of a type. What it throws as `Refusal` is the error; a handler that returns nothing answers nothing. */
  handle(type: string, handler: TestHandler): void {
    this.answers.handle(type, handler);
  }

  /** The next request of this type is answered with an error. */
  failNext(type: string, code: ErrorCode, retryAfter?: number): void {
    this.answers.failNext(type, code, retryAfter);
  }

  publish(channel: string, data: unknown): Position {
    const home = this.channel(channel);
    const { seq, ts } = home.publish(data);
    const { epoch } = home.position;
    const at = home.hasHistory ? { seq, epoch } : {};
    this.tell(channel, { v: 1, type: 'message', channel, ts, data, ...at });
    return home.position;
  }

  /** Where a channel stands, for the `load` of tests. */
  positionOf(channel: string): Position {
    return this.channel(channel).position;
  }

  /** Loses the oldest publications of a channel. Clients that lack them learn it when they subscribe again. */
  trim(channel: string, keep = 0): void {
    this.channel(channel).trim(keep);
  }

  /** Loses a channel, and says so to those who read it. */
  lose(channel: string): void {
    const home = this.channel(channel);
    home.startAgain();
    const { epoch, seq } = home.position;
    this.tell(channel, { v: 1, type: 'gap', channel, epoch, data: { from: null, to: seq } });
  }

  /** Takes the right to a channel away. */
  unsubscribe(channel: string, code: ErrorCode): void {
    this.tell(channel, { v: 1, type: 'unsubscribed', channel, data: { lost: 'channel', code, message: code } });
    for (const { channels } of this.sessions.values()) channels.delete(channel);
  }

  presence(channel: string, event: 'join' | 'leave', userId: string): void {
    this.tell(channel, { v: 1, type: 'presence', channel, data: { event, member: { userId } } });
  }

  /** Sends a message to every client: an object, or a text that is none. */
  emit(message: { readonly type: string; readonly data?: unknown } | string): void {
    for (const socket of this.sessions.keys())
      socket.push(typeof message === 'string' ? message : { v: 1, ...message });
  }

  /** Ends all connections, those of a killed process with 1006. */
  closeAll(code: number, reason = ''): void {
    for (const socket of this.sessions.keys()) {
      this.sessions.delete(socket);
      socket.end({ code, reason });
    }
  }

  /** A dead network: nothing arrives and nobody is told, until `restore`. What was connected then stays dead. */
  swallow(): void {
    this.deaths += 1;
    this.isDead = true;
  }

  restore(): void {
    this.isDead = false;
  }

  private channel(name: string): TestChannel {
    const [namespace = ''] = name.split(':');
    const hasHistory = !(this.options.withoutHistory ?? []).includes(namespace);
    const channel = this.channels.get(name) ?? new TestChannel(name, hasHistory, () => this.clock.now());
    this.channels.set(name, channel);
    return channel;
  }

  private tell(channel: string, message: object): void {
    for (const [socket, { channels }] of this.sessions) if (channels.has(channel)) socket.push(message);
  }

  private onConnect(socket: TestSocket): void {
    this.attempts.push(this.clock.elapsed());
    const token = socket.protocols.find((protocol) => protocol.startsWith('bearer.'))?.slice('bearer.'.length);
    const refusal = this.refusal?.(token);
    if (refusal !== undefined) {
      if (refusal.code !== 1006) socket.accept();
      return socket.end(refusal);
    }
    this.count += 1;
    this.sessions.set(socket, { id: `session-${this.count}`, token, channels: new Map() });
    socket.accept();
  }

  private onGone(socket: TestSocket): void {
    this.sessions.delete(socket);
  }

  private onFrame(socket: TestSocket, frame: string): void {
    const session = this.sessions.get(socket);
    if (session === undefined) return;
    const message = this.answers.to(frame, session);
    if (message !== undefined) socket.push(message);
  }

  private hello({ id, token }: TestSession): HelloReply {
    const { heartbeat = { intervalMs: 25_000, timeoutMs: 10_000 }, limits, connection } = this.options;
    return {
      sessionId: id,
      nodeId: 'test',
      userId: token ?? null,
      roles: [],
      protocol: 'v1.json',
      heartbeat,
      ...(connection && { connection }),
      limits: limits ?? { maxMessageBytes: 0, messageRate: 0, messageBurst: 0 },
      serverTime: this.clock.now(),
    };
  }
}
