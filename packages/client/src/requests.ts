import { isRetryable } from '@gatehouse/protocol';
import type { Cipher, Codec } from './codec.js';
import { backoff } from './delays.js';
import type { Environment } from './environment.js';
import { failure, GatehouseError } from './errors.js';
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

/** How a request ended: with an error, or with the data of the reply. */
type Settle = (error: GatehouseError | undefined, data?: unknown) => void;

interface Pending {
  readonly id: string;
  readonly frame: string | Uint8Array;
  readonly options: SendOptions;
  readonly settle: Settle;
  attempts: number;
  /** `delayed`: it waits for the time of its retry. */
  stage: 'waiting' | 'sent' | 'delayed';
  error?: GatehouseError;
  timer?: unknown;
}

export interface RequestsHost extends Environment {
  readonly link: Link;
  readonly codec: Codec;
  readonly options: {
    readonly cipher?: Cipher | undefined;
    /** Whether requests wait for the next connection; else they fail while there is none. */
    readonly queue?: boolean | Partial<QueueLimits> | undefined;
  };
}

const TIMEOUT_MS = 15_000;
const MOST_ATTEMPTS = 5;
/** Under way over one connection, with those that wait for the rate that the server allows. */
const MOST_PENDING = 10_000;
/** Of what waits for the first connection, too. */
const QUEUE: QueueLimits = { messages: 100, bytes: 256 * 1_024, ageMs: 30_000 };

/** Requests under way, each of which ends exactly once: with a reply, an error, or its deadline. */
export class Requests {
  private readonly _pending = new Map<string, Pending>();
  /** With the time of the start, no id of this user comes twice. */
  private readonly _prefix: string;
  private _count = 0;
  private readonly _pace: Pace;
  private readonly _queue: QueueLimits;

  constructor(private readonly _host: RequestsHost) {
    const { clock, random, options } = _host;
    this._queue = { ...QUEUE, ...(options.queue as Partial<QueueLimits>) };
    this._prefix = `${clock.now().toString(36)}-${random().toString(36).slice(2, 8)}`;
    this._pace = new Pace(clock, () => this.flush());
  }

  async send(type: string, data: unknown, options: SendOptions = {}): Promise<unknown> {
    const {
      codec,
      link,
      options: { cipher },
    } = this._host;
    const id = this.nextId();
    let frame: string | Uint8Array;
    try {
      const ts = options.replayProtected ? Math.round(link.now()) : undefined;
      const sealed = cipher && data !== undefined ? { enc: cipher.enc, data: await cipher.seal(data) } : { data };
      frame = codec.encode({ type, id, ts, ...sealed });
    } catch (cause) {
      throw failure('BAD_DATA', cause);
    }
    this._demandRoom(frame.length, options);
    return new Promise((resolve, reject) => {
      this._start(id, frame, options, (error, reply) => (error ? reject(error) : resolve(reply)));
    });
  }

  /** For the library itself: plain, and told in the same turn in which the answer arrives, so that nothing overtakes it. */
  ask(type: string, data: object, settle: Settle, options: SendOptions = {}): void {
    const id = this.nextId();
    this._start(id, this._host.codec.encode({ type, id, data }), options, settle);
  }

  /** Takes a reply or an error with the id of a request. Returns whether it was one. */
  receive(message: Incoming): boolean {
    const request = this._pending.get(String(message.id));
    if (request?.stage !== 'sent') return request !== undefined;
    if (message.type === 'error') this._onError(request, errorOf(message));
    else request.settle(undefined, message.data);
    return true;
  }

  onOpen(): void {
    this._pace.reset(this._host.link.hello?.limits);
    this.flush();
  }

  /** What was sent and may be sent again waits for the next connection; the outcome of everything else is unknown. */
  onDown(): void {
    this._pace.stop();
    for (const request of this._pending.values()) {
      if (request.stage !== 'sent') continue;
      if (request.options.idempotent) request.stage = 'waiting';
      else request.settle(failure('CONNECTION_LOST', undefined, true));
    }
  }

  stop(error: GatehouseError): void {
    this._pace.stop();
    for (const request of this._pending.values()) request.settle(error);
  }

  /** In the order of the calls, and not faster than the server allows. */
  flush(): void {
    const { link } = this._host;
    if (link.state !== 'open') return;
    for (const request of this._pending.values()) {
      if (request.stage !== 'waiting' || request.options.isHeld?.()) continue;
      if (exceeds(request.frame, link.hello?.limits.maxMessageBytes ?? 0)) {
        // The server would close the connection.
        request.settle(failure('MESSAGE_TOO_LARGE'));
        continue;
      }
      if (!this._pace.take()) return;
      request.stage = 'sent';
      request.attempts += 1;
      if (!link.send(request.frame)) request.stage = 'waiting';
    }
  }

  /** Unique among all ids of this user. */
  nextId(): string {
    this._count += 1;
    return `${this._prefix}-${this._count}`;
  }

  private _demandRoom(length: number, { signal }: SendOptions): void {
    const { link, options } = this._host;
    const { _queue: queue } = this;
    const { state } = link;
    if (signal?.aborted) throw failure('ABORTED', signal.reason);
    if (state === 'closed') throw failure('CLOSED');
    if (this._pending.size >= MOST_PENDING) throw failure('QUEUE_FULL');
    if (state === 'open') return;
    if (state === 'waiting' && !options.queue) throw failure('NOT_CONNECTED');
    let bytes = length;
    for (const { frame } of this._pending.values()) bytes += frame.length;
    if (this._pending.size >= queue.messages || bytes > queue.bytes) throw failure('QUEUE_FULL');
  }

  private _start(id: string, frame: string | Uint8Array, options: SendOptions, settle: Settle): void {
    const {
      clock,
      link,
      options: { queue },
    } = this._host;
    const { signal, timeoutMs = link.state !== 'open' && queue ? this._queue.ageMs : TIMEOUT_MS } = options;
    const onAbort = (): void => request.settle(failure('ABORTED', signal?.reason, request.stage === 'sent'));
    const deadline = clock.setTimeout(() => {
      const isSent = request.stage === 'sent';
      request.settle((!isSent && request.error) || failure('NO_ANSWER', undefined, isSent));
    }, timeoutMs);
    const request: Pending = {
      id,
      frame,
      options,
      attempts: 0,
      stage: 'waiting',
      settle: (error, data) => {
        if (!this._pending.delete(id)) return;
        clock.clearTimeout(deadline);
        clock.clearTimeout(request.timer);
        signal?.removeEventListener('abort', onAbort);
        settle(error, data);
      },
    };
    this._pending.set(id, request);
    signal?.addEventListener('abort', onAbort);
    this.flush();
  }

  private _onError(request: Pending, error: GatehouseError): void {
    const { retry = true } = request.options;
    if (!retry || request.attempts >= MOST_ATTEMPTS || !isRetryable(error.code)) return request.settle(error);
    const { clock, random } = this._host;
    request.stage = 'delayed';
    request.error = error;
    request.timer = clock.setTimeout(
      () => {
        request.stage = 'waiting';
        this.flush();
      },
      (error.retryAfter ?? 0) + backoff(request.attempts, random),
    );
  }
}

export function errorOf({
  code = 'INTERNAL_ERROR',
  message = code,
  details,
  retryAfter,
  data,
}: Incoming): GatehouseError {
  return new GatehouseError(code, message, { details, retryAfter, data });
}

function exceeds(frame: string | Uint8Array, limit: number): boolean {
  if (limit === 0 || frame.length * 3 <= limit) return false;
  return (typeof frame === 'string' ? new TextEncoder().encode(frame).length : frame.length) > limit;
}
