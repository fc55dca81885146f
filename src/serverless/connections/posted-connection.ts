import { EventEmitter } from 'node:events';
import { CLOSES, type CloseName } from '@gatehouse/protocol';
import type { Disconnection } from '../../dispatch/gateway-hooks.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Connection } from '../../socket/connection.js';
import { frame, OPCODE, payloadOf } from '../../socket/frame.js';
import type { Invocation } from '../invocation.js';
import type { Poster } from '../delivery/poster.js';

/** The most that API Gateway posts. */
export const MAX_POST_BYTES = 131_072;

/** RFC 6455 §7.4.1: no code was given. */
export const NO_CODE = 1005;
/** RFC 6455 §7.4.1: the connection ended without a close frame. */
export const ABNORMAL = 1006;

const OPEN = 1;
const CLOSED = 3;

type SendCallback = (error?: Error) => void;

/**
 * The connection of one client during one invocation, in place of a socket: what is sent to it is posted, one frame
 * after the other. It has the part of `Connection` that sessions, the dispatcher and gateways use.
 */
export class PostedConnection extends EventEmitter {
  framesSent = 0;
  sentByHand = 0;
  isServed = true;
  readonly waitingBytes = 0;
  readonly waitingFrames = 0;
  readonly unhandledMessages = 0;
  readonly unhandledBytes = 0;
  /** As a gateway has closed it. Undefined: it has not. */
  closedWith: Disconnection | undefined;
  private posts: Promise<unknown> = Promise.resolve();

  constructor(
    readonly connectionId: string,
    private readonly invocation: Invocation,
    private readonly poster: Poster,
    private isOver = false,
  ) {
    super();
  }

  /** As the rest of the server knows it. */
  get asConnection(): Connection {
    return this as unknown as Connection;
  }

  get isOpen(): boolean {
    return !this.isOver && this.closedWith === undefined;
  }

  get readyState(): number {
    return this.isOpen ? OPEN : CLOSED;
  }

  /**
   * Takes a frame built by `frame()`, and posts its payload: API Gateway makes frames of its own.
   *
   * @throws GatehouseError MESSAGE_TOO_LARGE
   */
  enqueue(bytes: Buffer): boolean {
    const { outcomes, options } = this.invocation;
    if (!this.isOpen) return false;
    if (options.isConnect === true) {
      outcomes.add('sent_in_connect');
      return false;
    }
    const payload = payloadIn(bytes);
    if (payload.length > MAX_POST_BYTES) {
      outcomes.add('post_too_large');
      throw new GatehouseError('MESSAGE_TOO_LARGE');
    }
    this.framesSent += 1;
    this.next('a post', async () => {
      if (this.isOver) return;
      if ((await this.poster.post(this.connectionId, payload)) === 'gone') this.isOver = true;
    });
    return true;
  }

  /** Frames that follow wait for this. If it fails, the client is disconnected: it must not be told that it was done. */
  after(where: string, step: () => Promise<unknown>): void {
    this.next(where, async () => {
      try {
        await step();
      } catch (error) {
        this.isOver = true;
        await this.poster.disconnect(this.connectionId);
        throw error;
      }
    });
  }

  /** The `send` of `ws`, for gateways that hold the socket. */
  send(data: unknown, options?: unknown, callback?: SendCallback): void {
    this.sentByHand += 1;
    const done = typeof options === 'function' ? (options as SendCallback) : callback;
    const isTaken = this.enqueue(frame(OPCODE.text, payloadOf(data)));
    done?.(isTaken ? undefined : new Error('The connection is closed, or it is only just being made'));
  }

  /** API Gateway closes with a code of its own; ours never reaches the client. In $connect, the upgrade is refused. */
  close(code = NO_CODE, reason = ''): void {
    if (!this.isOpen) return;
    this.closedWith = { code, reason };
    this.isServed = false;
    if (this.invocation.options.isConnect === true) return;
    this.next('a disconnect', () => this.poster.disconnect(this.connectionId));
  }

  closeAs(name: CloseName, reason: string = CLOSES[name].reason): void {
    this.close(CLOSES[name].code, reason);
  }

  terminate(): void {
    this.close(ABNORMAL);
  }

  ping(): void {}

  pause(): void {}

  resume(): void {}

  follow(): void {}

  private next(where: string, step: () => Promise<unknown>): void {
    this.posts = this.posts.then(step);
    this.invocation.track(where, this.posts);
    // The next frame must be posted although this one has failed.
    this.posts = this.posts.catch(() => {});
  }
}

/** The payload of an unmasked frame. */
function payloadIn(bytes: Buffer): Buffer {
  const length = (bytes[1] ?? 0) & 0x7f;
  return bytes.subarray(length === 126 ? 4 : length === 127 ? 10 : 2);
}
