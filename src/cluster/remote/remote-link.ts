import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ERRORS, type ErrorCode } from '@gatehouse/protocol';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { EngineLink } from '../ports/engine-link.js';
import { FrameReader, encodeFrame } from './frames.js';
import { FrameWriter } from './frame-writer.js';
import { OpenCalls } from './open-calls.js';
import {
  ANSWER,
  busy,
  CALL,
  EVENT,
  PART,
  REFUSAL,
  REMOTE_VERSION,
  TELL,
  type Arguments,
  type ToPrimary,
  type ToWorker,
} from './remote-messages.js';

/** The report of a node, once a second, notices sooner that the primary does not answer. */
const PULSE_MS = 5_000;
const RECONNECT_MS = 100;
/** Calls without an answer yet, and bytes that the primary has not read. From then on, more are refused. */
const MAX_UNANSWERED = 20_000;
const MAX_WAITING_BYTES = 67_108_864;

export interface RemoteLinkOptions {
  /** The unix socket of the primary. */
  readonly path: string;
  /** A call without an answer after this time has failed, and the primary counts as gone. */
  readonly timeoutMs: number;
}

/**
 * The connection of a worker to the engine in the primary. Nothing waits for a connection: a call is sent at once or
 * refused.
 */
export class RemoteLink extends EngineLink {
  readonly engine = 'primary';
  readonly faults = [];
  readonly knownFaults = [];
  private readonly handlers = new Map<string, (...parameters: unknown[]) => void>();
  private readonly calls: OpenCalls;
  private readonly pulse: NodeJS.Timeout;
  private socket: Socket | undefined;
  private writer: FrameWriter | undefined;
  private isAlive = false;
  private isClosed = false;
  private hostLife: string | undefined;
  /** Who this node says it is. */
  private incarnation = '';

  constructor(private readonly options: RemoteLinkOptions) {
    super();
    this.calls = new OpenCalls(options.timeoutMs, () => this.died('the primary did not answer in time'));
    this.pulse = setInterval(() => void this.feelPulse(), PULSE_MS).unref();
    this.connect();
  }

  get isUp(): boolean {
    return this.isAlive;
  }

  /** Changes with every start of the primary. Undefined while it cannot be reached. */
  get life(): string | undefined {
    return this.isAlive ? this.hostLife : undefined;
  }

  get backlog(): { readonly calls: number; readonly callBytes: number } {
    return { calls: this.calls.size, callBytes: this.writer?.waitingBytes ?? 0 };
  }

  /** Resolves when the primary answers, at the latest after the timeout. */
  async opened(): Promise<void> {
    if (this.isAlive) return;
    await Promise.race([once(this, 'up'), pause(this.options.timeoutMs, undefined, { ref: false })]);
  }

  /** From now on, what this node stores carries this name. */
  identifyAs(incarnation: string): void {
    this.incarnation = incarnation;
    if (this.isAlive) this.tell('hello', REMOTE_VERSION, incarnation);
  }

  /** @param handler must not throw */
  onEvent(name: string, handler: (...parameters: never[]) => void): void {
    this.handlers.set(name, handler as (...parameters: unknown[]) => void);
  }

  /**
   * Calls a method of the engine. Calls are carried out in order.
   *
   * @throws GatehouseError SERVER_BUSY if the primary cannot be reached, is too slow, or fails. It is then unknown
   *   whether it was carried out
   */
  call(method: string, ...parameters: Arguments): Promise<unknown> {
    const { writer } = this;
    const isFull = this.calls.size >= MAX_UNANSWERED || (writer?.waitingBytes ?? 0) >= MAX_WAITING_BYTES;
    if (!this.isAlive || writer === undefined || isFull) return Promise.reject(busy());
    return this.send(writer, method, parameters);
  }

  /** Calls without waiting for an answer. Returns whether it was sent. */
  tell(method: string, ...parameters: Arguments): boolean {
    if (!this.isAlive || this.writer === undefined) return false;
    this.writer.write(encodeFrame([TELL, method, parameters] satisfies ToPrimary));
    return true;
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.pulse);
    this.removeAllListeners();
    this.died('closed');
    this.socket?.destroy();
  }

  private send(writer: FrameWriter, method: string, parameters: Arguments): Promise<unknown> {
    return this.calls.add((id) => writer.write(encodeFrame([CALL, id, method, parameters] satisfies ToPrimary)));
  }

  private connect(): void {
    if (this.isClosed) return;
    const socket = connect(this.options.path);
    const reader = new FrameReader((message) => this.hear(message as ToWorker));
    this.socket = socket;
    socket.on('connect', () => void this.greet(socket));
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', ({ message }) => this.emit('failed', message));
    socket.on('close', () => {
      this.died('the connection to the primary closed');
      setTimeout(() => this.connect(), RECONNECT_MS).unref();
    });
  }

  private async greet(socket: Socket): Promise<void> {
    const writer = new FrameWriter(socket);
    try {
      const life = (await this.send(writer, 'hello', [REMOTE_VERSION, this.incarnation])) as string;
      this.writer = writer;
      const isReplaced = this.hostLife !== undefined && this.hostLife !== life;
      this.hostLife = life;
      if (isReplaced) this.emit('replaced');
      this.isAlive = true;
      this.emit('up');
    } catch {
      socket.destroy();
    }
  }

  private hear(message: ToWorker): void {
    switch (message[0]) {
      case ANSWER:
        return this.calls.answered(message[1], message[2]);
      case PART:
        return this.calls.partCame(message[1], message[2]);
      case REFUSAL:
        return this.calls.refused(message[1], refusalOf(message[2], message[3]));
      case EVENT:
        return this.handlers.get(message[1])?.(...message[2]);
    }
  }

  private async feelPulse(): Promise<void> {
    if (!this.isAlive) return;
    const sentAt = performance.now();
    await this.call('ping').then(
      () => this.emit('roundTrip', performance.now() - sentAt),
      (error: Error) => this.emit('failed', error.message),
    );
  }

  /** What was sent may have been carried out or not. */
  private died(reason: string): void {
    const wasAlive = this.isAlive;
    this.isAlive = false;
    this.writer = undefined;
    this.socket?.destroy();
    this.calls.refuseAll(busy());
    if (wasAlive) this.emit('down', reason);
  }
}

function refusalOf(code: string, retryAfter: number | undefined): GatehouseError {
  return Object.hasOwn(ERRORS, code) ? new GatehouseError(code as ErrorCode, { retryAfter }) : busy();
}
