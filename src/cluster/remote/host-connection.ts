import type { Socket } from 'node:net';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { encodeFrame, FrameReader } from './frames.js';
import { FrameWriter } from './frame-writer.js';
import type { Receiver } from './host-broker.js';
import type { HostNode } from './host-node.js';
import {
  ANSWER,
  busy,
  CALL,
  EVENT,
  LongAnswer,
  PART,
  REFUSAL,
  TELL,
  type Arguments,
  type ToPrimary,
  type ToWorker,
} from './remote-messages.js';

/** Items in one frame of a long answer. */
const PART_SIZE = 500;

export interface HostConnectionParts {
  readonly maxWaitingBytes: number;
  readonly carryOut: (method: string, parameters: Arguments) => unknown;
  readonly overrun: () => void;
  readonly crashed: (method: string, exception: unknown) => void;
  readonly closed: () => void;
}

/** The primary's end of the connection to one worker. */
export class HostConnection implements Receiver {
  /** Who the worker says it is; undefined until then. */
  node: HostNode | undefined;
  private readonly writer: FrameWriter;

  constructor(
    private readonly socket: Socket,
    private readonly parts: HostConnectionParts,
  ) {
    this.writer = new FrameWriter(socket);
    const reader = new FrameReader((message) => this.hear(message as ToPrimary));
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch (error) {
        parts.crashed('a frame', error);
        socket.destroy();
      }
    });
    // The end of a worker closes the socket, too.
    socket.on('error', () => {});
    socket.on('close', () => parts.closed());
  }

  get waitingBytes(): number {
    return this.writer.waitingBytes;
  }

  send(event: string, parameters: Arguments): void {
    this.say([EVENT, event, parameters]);
  }

  write(frame: Buffer): void {
    if (this.socket.destroyed) return;
    if (this.writer.waitingBytes > this.parts.maxWaitingBytes) {
      this.parts.overrun();
      this.close();
      return;
    }
    this.writer.write(frame);
  }

  close(): void {
    this.socket.destroy();
  }

  private hear(message: ToPrimary): void {
    if (message[0] === CALL) void this.answer(message[1], message[2], message[3]);
    else if (message[0] === TELL) void this.carryOut(message[1], message[2]).catch(() => {});
  }

  private async answer(id: number, method: string, parameters: Arguments): Promise<void> {
    try {
      const value = await this.carryOut(method, parameters);
      if (!(value instanceof LongAnswer)) return this.say([ANSWER, id, value]);
      for (let start = 0; start === 0 || start < value.items.length; start += PART_SIZE)
        this.say([PART, id, value.items.slice(start, start + PART_SIZE)]);
      this.say([ANSWER, id, value.rest]);
    } catch (error) {
      const { code, retryAfter } = error instanceof GatehouseError ? error : busy();
      this.say([REFUSAL, id, code, retryAfter]);
    }
  }

  /** Begins at once, so that calls are carried out in order. */
  private async carryOut(method: string, parameters: Arguments): Promise<unknown> {
    try {
      return await this.parts.carryOut(method, parameters);
    } catch (error) {
      if (!(error instanceof GatehouseError)) this.parts.crashed(method, error);
      throw error;
    }
  }

  private say(message: ToWorker): void {
    this.write(encodeFrame(message));
  }
}
