import { randomUUID } from 'node:crypto';
import type { Principal } from '../authentication/principal.js';
import type { CloseName, Publisher, ServerMessage } from '@gatehouse/protocol';
import type { Codec } from '../protocol/codecs/codec.js';
import type { Connection } from '../socket/connection.js';
import type { ConnectionLifetime } from './connection-lifetime.js';
import type { FrameFormat } from './frame-format.js';

declare const brand: unique symbol;
/** The id of a session, branded so that a plain string is not accepted. */
export type SessionId = string & { readonly [brand]: 'SessionId' };

/** Is told of every frame that a session queues. */
export interface SentReporter {
  emit(event: 'sent', type: string, bytes: number, sessions: number, message: ServerMessage, frame: Buffer): boolean;
}

export interface SessionOptions {
  readonly principal: Principal;
  readonly connection: Connection;
  readonly format: FrameFormat;
  /** The client's address; behind trusted proxies the one that they report. */
  readonly address: string;
  readonly events: SentReporter;
}

export function newSessionId(): SessionId {
  return randomUUID() as SessionId;
}

/** One connected client: its principal, its subprotocol, and the way to send to it. */
export class Session {
  /** Milliseconds since 1970. */
  readonly openedAt = Date.now();
  readonly connection: Connection;
  /** How messages become frames for this client. */
  readonly format: FrameFormat;
  readonly address: string;
  /** Changes when the client refreshes its token. The user id never changes. */
  principal: Principal;
  messagesReceived = 0;
  /** Whether a message is being handled or waits. Set by the dispatcher. */
  private isBusy = false;
  private pendingClose: { readonly name: CloseName; readonly reason: string | undefined } | undefined;
  private readonly events: SentReporter;

  constructor(
    readonly id: SessionId,
    options: SessionOptions,
  ) {
    this.principal = options.principal;
    this.connection = options.connection;
    this.format = options.format;
    this.address = options.address;
    this.events = options.events;
  }

  get codec(): Codec {
    return this.format.codec;
  }

  get userId(): string {
    return this.principal.userId;
  }

  get roles(): readonly string[] {
    return this.principal.roles;
  }

  /** Limits that the host sets for its connection. Undefined: none. */
  get lifetime(): ConnectionLifetime | undefined {
    return undefined;
  }

  get messagesSent(): number {
    return this.connection.framesSent;
  }

  /** Whether the session ends after the reply to its last message. New messages are not accepted any more. */
  get isLeaving(): boolean {
    return this.pendingClose !== undefined;
  }

  /** The `from` of messages that this session causes. */
  get publisher(): Publisher {
    return { userId: this.userId, sessionId: this.id };
  }

  /**
   * Sends one message to this client.
   *
   * @returns false if the connection is closing or its reader is too slow
   * @throws TypeError or RangeError if the data cannot be encoded
   */
  send(message: ServerMessage): boolean {
    const bytes = this.format.frame(message);
    const isTaken = this.connection.enqueue(bytes);
    if (isTaken) this.events.emit('sent', message.type, bytes.length, 1, message, bytes);
    return isTaken;
  }

  close(name: CloseName, reason?: string): void {
    this.connection.closeAs(name, reason);
  }

  /** Closes after the running and waiting messages have their replies. */
  closeWhenAnswered(name: CloseName, reason?: string): void {
    if (!this.isBusy) return this.close(name, reason);
    this.pendingClose = { name, reason };
  }

  /** @internal The dispatcher reports the first running message and the last reply. */
  setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    if (!isBusy && this.pendingClose) this.close(this.pendingClose.name, this.pendingClose.reason);
  }
}
