import { isRetryable, type ClientMessage } from '@gatehouse/protocol';
import type { Cipher, Codec } from './codec.js';
import { backoff } from './delays.js';
import type { Environment } from './environment.js';
import { GatehouseError } from './errors.js';
import type { Incoming } from './incoming.js';
import type { Link } from './link.js';
import { Pace } from './pace.js';

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** For everything together: waiting for a connection, retries, the answer. Default: 15 s. */
  readonly timeoutMs?: number | undefined;
  /** Whether to send it again after an error that the registry marks for retry. Default: true. */
  readonly retry?: boolean | undefined;
  /** Whether it may be sent again when the connection ended before the answer. Default: false. */
  readonly idempotent?: boolean | undefined;
  /** Adds the time, for types that the server protects against replay. Default: false. */
  readonly replayProtected?: boolean | undefined;
}

/** For the library itself. */
export interface SendOptions extends RequestOptions {
  /** Whether it must wait although there is a connection. `flush` asks again. */
  readonly isHeld?: (() => boolean) | undefined;
}

export interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
  readonly ageMs: number;
}

export interface Answer {
  readonly onReply: (data: unknown) => void;
  readonly onError: (error: GatehouseError) => void;
}

interface Framed {
  readonly id: string;
  readonly frame: string | Uint8Array;
}

interface Settling {
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Pending extends Required<Pick<RequestOptions, 'retry' | 'idempotent'>> {
  readonly id: string;
  readonly frame: string | Uint8Array;
  readonly isHeld: (() => boolean) | undefined;
  readonly deadline: unknown;
  readonly settle: (error: GatehouseError | undefined, data?: unknown) => void;
  attempts: number;
  /** `delayed`: it waits for the time of its retry. */
  stage: 'waiting' | 'sent' | 'delayed';
  lastError?: GatehouseError;
  retryTimer?: unknown;
}

export interface RequestsSetup {
  readonly link: Link;
  readonly codec: Codec;
  readonly cipher: Cipher | undefined;
  readonly environment: Environment;
  /** Whether requests wait for the next connection; undefined: they fail while there is none. */
  readonly queue: QueueLimits | undefined;
}

const TIMEOUT_MS = 15_000;
const MOST_ATTEMPTS = 5;
/** Of what waits for the first connection, too. */
export const QUEUE: QueueLimits = { messages: 100, bytes: 256 * 1_024, ageMs: 30_000 };

/** Requests under way, each of which ends exactly once: with a reply, an error, or its deadline. */
export class Requests {
  private readonly pending = new Map<string, Pending>();
  /** With the time of the start, no id of this user comes twice. */
  private readonly prefix: string;
  private count = 0;
  private readonly pace: Pace;

  constructor(private readonly setup: RequestsSetup) {
    const { clock, random } = setup.environment;
    this.prefix = `${clock.now().toString(36)}-${Math.floor(random() * 36 ** 6).toString(36)}`;
    this.pace = new Pace(clock, () => this.flush());
  }

  async send(type: string, data: unknown, options: SendOptions = {}): Promise<unknown> {
    const message = await this.messageOf(type, data, options);
    this.demandRoom(message.frame.length, options);
    return new Promise((resolve, reject) => this.start(message, options, { resolve, reject }));
  }

  /** For the library itself: plain, and told in the same turn in which the answer arrives, so that nothing overtakes it. */
  ask(type: string, data: unknown, { onReply, onError }: Answer, options: RequestOptions = {}): void {
    this.count += 1;
    const id = `${this.prefix}-${this.count}`;
    this.start({ id, frame: this.setup.codec.encode({ type, id, data }) }, options, {
      resolve: onReply,
      reject: (error) => onError(error as GatehouseError),
    });
  }

  /** Takes a reply or an error with the id of a request. Returns whether it was one. */
  receive(message: Incoming): boolean {
    const request = this.pending.get(String(message.id));
    if (request?.stage !== 'sent') return request !== undefined;
    if (message.type !== 'error') request.settle(undefined, message.data);
    else this.onError(request, errorOf(message));
    return true;
  }

  onOpen(): void {
    this.pace.reset(this.setup.link.hello?.limits);
    this.flush();
  }

  /** What was sent and may be sent again waits for the next connection; the outcome of everything else is unknown. */
  onDown(): void {
    this.pace.stop();
    const lost = new GatehouseError('CONNECTION_LOST', 'The connection ended before the answer', {
      outcomeUnknown: true,
    });
    for (const request of this.pending.values()) {
      if (request.stage !== 'sent') continue;
      if (request.idempotent) request.stage = 'waiting';
      else request.settle(lost);
    }
  }

  stop(error: GatehouseError): void {
    this.pace.stop();
    for (const request of this.pending.values()) request.settle(error);
  }

  private async messageOf(type: string, data: unknown, options: RequestOptions): Promise<Framed> {
    this.count += 1;
    const id = `${this.prefix}-${this.count}`;
    const { cipher, codec, link } = this.setup;
    let message: ClientMessage = { type, id, data };
    if (options.replayProtected === true) message = { ...message, ts: Math.round(link.serverNow()) };
    try {
      if (cipher !== undefined && data !== undefined)
        message = { ...message, enc: cipher.enc, data: await cipher.seal(data) };
      return { id, frame: codec.encode(message) };
    } catch (cause) {
      throw new GatehouseError('BAD_DATA', `The data of "${type}" cannot be encoded`, { cause });
    }
  }

  private demandRoom(length: number, { signal }: RequestOptions): void {
    const { link, queue } = this.setup;
    if (signal?.aborted === true) throw aborted(signal, false);
    const state = link.state;
    if (state === 'closed') throw new GatehouseError('CLOSED', 'The client is closed');
    if (state === 'open') return;
    if (state === 'waiting' && queue === undefined) throw new GatehouseError('NOT_CONNECTED', 'There is no connection');
    const limits = queue ?? QUEUE;
    let bytes = length;
    let messages = 1;
    for (const { frame } of this.pending.values()) {
      bytes += frame.length;
      messages += 1;
    }
    if (messages > limits.messages || bytes > limits.bytes)
      throw new GatehouseError('QUEUE_FULL', 'Too much waits for a connection');
  }

  private start({ id, frame }: Framed, options: SendOptions, promise: Settling): void {
    const { clock } = this.setup.environment;
    const { signal } = options;
    const onAbort = (): void => request.settle(aborted(signal, request.stage === 'sent'));
    const isWaiting = this.setup.link.state !== 'open';
    const timeoutMs = options.timeoutMs ?? (isWaiting ? (this.setup.queue?.ageMs ?? TIMEOUT_MS) : TIMEOUT_MS);
    const request: Pending = {
      id,
      frame,
      isHeld: options.isHeld,
      attempts: 0,
      stage: 'waiting',
      retry: options.retry ?? true,
      idempotent: options.idempotent ?? false,
      deadline: clock.setTimeout(() => this.onDeadline(request, timeoutMs), timeoutMs),
      settle: (error, data) => {
        if (!this.pending.delete(id)) return;
        clock.clearTimeout(request.deadline);
        clock.clearTimeout(request.retryTimer);
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) promise.resolve(data);
        else promise.reject(error);
      },
    };
    this.pending.set(id, request);
    signal?.addEventListener('abort', onAbort);
    this.flush();
  }

  private onDeadline(request: Pending, timeoutMs: number): void {
    const isSent = request.stage === 'sent';
    const error = new GatehouseError('NO_ANSWER', `No answer within ${timeoutMs} ms`, { outcomeUnknown: isSent });
    request.settle(isSent ? error : (request.lastError ?? error));
  }

  private onError(request: Pending, error: GatehouseError): void {
    const mayRetry = request.retry && request.attempts < MOST_ATTEMPTS && isRetryable(error.code);
    if (!mayRetry) return request.settle(error);
    const { clock, random } = this.setup.environment;
    request.stage = 'delayed';
    request.lastError = error;
    request.retryTimer = clock.setTimeout(
      () => {
        request.stage = 'waiting';
        this.flush();
      },
      (error.retryAfter ?? 0) + backoff(request.attempts, random),
    );
  }

  /** In the order of the calls, and not faster than the server allows. */
  flush(): void {
    const { link } = this.setup;
    if (link.state !== 'open') return;
    for (const request of this.pending.values()) {
      if (request.stage !== 'waiting' || request.isHeld?.() === true) continue;
      if (exceeds(request.frame, link.hello?.limits.maxMessageBytes ?? 0)) {
        // The server would close the connection.
        request.settle(new GatehouseError('MESSAGE_TOO_LARGE', 'The server takes no message of this size'));
        continue;
      }
      if (!this.pace.take()) return;
      request.stage = 'sent';
      request.attempts += 1;
      if (!link.sendFrame(request.frame)) request.stage = 'waiting';
    }
  }
}

export function errorOf({ code = 'INTERNAL_ERROR', message = code, details, retryAfter }: Incoming): GatehouseError {
  return new GatehouseError(code, message, { details, retryAfter });
}

function aborted(signal: AbortSignal | undefined, outcomeUnknown: boolean): GatehouseError {
  return new GatehouseError('ABORTED', 'The request was aborted', { cause: signal?.reason, outcomeUnknown });
}

function exceeds(frame: string | Uint8Array, limit: number): boolean {
  if (limit === 0 || frame.length * 3 <= limit) return false;
  return (typeof frame === 'string' ? new TextEncoder().encode(frame).length : frame.length) > limit;
}
