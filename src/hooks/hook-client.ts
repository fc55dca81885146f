import type CircuitBreaker from 'opossum';
import { randomUUID } from 'node:crypto';
import type { Pool } from 'undici';
import type { HookEndpoint } from '../../config/hooks.js';
import { HookFailure, type HookFailureReason } from './hook-failure.js';
import type { HookName } from './hook-events.js';
import { signatureHeaders } from './signature.js';

/** A request as the back end reads it. */
export interface HookRequest {
  readonly type: HookName;
  /** The same when a request is repeated. Default: a new one. */
  readonly id?: string;
  readonly data: unknown;
  /** W3C traceparent. */
  readonly trace?: string | undefined;
}

export type HookAnswer = Readonly<Record<string, unknown>>;

/** Requests that wait for one of the endpoint's connections. */
const MAX_WAITING = 1_024;
const MAX_ANSWER_BYTES = 1_048_576;
/** Open for 5 s after half of at least 20 requests within 10 s failed; then one request tries. */
const BREAKER = {
  timeout: false,
  errorThresholdPercentage: 50,
  volumeThreshold: 20,
  rollingCountTimeout: 10_000,
  resetTimeout: 5_000,
} as const;

const REASONS: Readonly<Record<string, HookFailureReason>> = {
  ABORT_ERR: 'timeout',
  UND_ERR_ABORTED: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'bad_answer',
  EOPENBREAKER: 'breaker_open',
  ESEMLOCKED: 'overflow',
};

/** Sends signed requests to one back end, a bounded number at a time. */
export class HookClient {
  private readonly path: string;
  private readonly keys: readonly Buffer[];

  private constructor(
    private readonly endpoint: HookEndpoint,
    private readonly pool: Pool,
    private readonly breaker: CircuitBreaker<[HookRequest], HookAnswer>,
  ) {
    const { pathname, search } = new URL(endpoint.url);
    this.path = pathname + search;
    this.keys = endpoint.secrets.map((secret) => Buffer.from(secret, 'base64'));
  }

  /** The packages are loaded here, so that a server without hooks loads neither. */
  static async open(endpoint: HookEndpoint): Promise<HookClient> {
    const [{ Pool: HttpPool }, { default: Breaker }] = await Promise.all([import('undici'), import('opossum')]);
    const { url, concurrency, timeoutMs } = endpoint;
    const pool = new HttpPool(new URL(url).origin, {
      connections: concurrency,
      pipelining: 1,
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: MAX_ANSWER_BYTES,
    });
    const breaker: CircuitBreaker<[HookRequest], HookAnswer> = new Breaker(
      (request: HookRequest) => client.exchange(request),
      { ...BREAKER, capacity: concurrency + MAX_WAITING },
    );
    const client = new HookClient(endpoint, pool, breaker);
    return client;
  }

  /**
   * Sends a request once. It is repeated only if no connection was made, since then the back end cannot have seen it.
   *
   * @returns the JSON object that the back end answered with a status 2xx
   * @throws HookFailure
   */
  async post(request: HookRequest): Promise<HookAnswer> {
    try {
      return await this.breaker.fire(request);
    } catch (error) {
      throw this.failureOf(error);
    }
  }

  async close(): Promise<void> {
    this.breaker.shutdown();
    await this.pool.destroy();
  }

  private async exchange(request: HookRequest): Promise<HookAnswer> {
    const signal = AbortSignal.timeout(this.endpoint.timeoutMs);
    const { id = `msg_${randomUUID()}`, type, data, trace } = request;
    const at = Date.now();
    const body = JSON.stringify({ type, id, at, data });
    const signed = { id, timestamp: Math.floor(at / 1_000), body };
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'gatehouse',
      ...(trace !== undefined && { traceparent: trace }),
      ...signatureHeaders(signed, this.keys),
    };
    const send = (): ReturnType<Pool['request']> =>
      this.pool.request({ method: 'POST', path: this.path, headers, body, signal });
    const answer = await send().catch((error: unknown) => {
      if (codeOf(error) !== 'ECONNREFUSED') throw error;
      return send();
    });
    // Read whatever the status is, so that the connection can be used again.
    const text = await answer.body.text();
    if (answer.statusCode < 200 || answer.statusCode > 299) {
      const { statusCode } = answer;
      throw new HookFailure(this.endpoint.name, 'bad_status', `it answered with status ${statusCode}`, statusCode);
    }
    return this.parsed(text);
  }

  private parsed(text: string): HookAnswer {
    let answer: unknown;
    try {
      answer = JSON.parse(text === '' ? '{}' : text);
    } catch {
      answer = undefined;
    }
    if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return answer as HookAnswer;
    throw new HookFailure(this.endpoint.name, 'bad_answer', 'its answer is not a JSON object');
  }

  private failureOf(error: unknown): HookFailure {
    if (error instanceof HookFailure) return error;
    const code = codeOf(error);
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    const reason = isTimeout ? 'timeout' : (REASONS[code] ?? 'unreachable');
    return new HookFailure(this.endpoint.name, reason, isTimeout ? 'it did not answer in time' : code);
  }
}

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  return cause === undefined ? (error as Error).name : codeOf(cause);
}
