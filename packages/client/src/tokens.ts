import type { Clock } from './environment.js';
import { failure, SignedOut } from './errors.js';
import { limited } from './limited.js';

/** Why a token is needed: for a first or later connection, before the old one expires, or because the server refused it. */
export type TokenReason = 'connect' | 'expiring' | 'refused';

export interface TokenAsk {
  readonly reason: TokenReason;
  /** Aborts when the client waits no longer. */
  readonly signal: AbortSignal;
}

/** None: the connection is anonymous. */
export type MaybeToken = string | null | undefined;
export type TokenSource = string | ((ask: TokenAsk) => MaybeToken | Promise<MaybeToken>);

export interface TokenOptions {
  readonly token?: TokenSource | undefined;
  readonly tokenTimeoutMs?: number | undefined;
}

const TIMEOUT_MS = 15_000;
/** A token that expires within this time is not worth a connection. */
const LEAST_LIFE_MS = 5_000;

/** Asks for tokens: once at a time, not for longer than the limit, and never presents a refused one again. */
export class Tokens {
  private _current: string | undefined;
  private _refused: string | undefined;
  private _flight: Promise<string | undefined> | undefined;
  private _abort: AbortController | undefined;

  constructor(
    private readonly _options: TokenOptions,
    private readonly _clock: Clock,
  ) {}

  get canRenew(): boolean {
    return typeof this._options.token === 'function';
  }

  /** When the current token expires, in milliseconds since 1970. */
  get expiresAt(): number | undefined {
    return this._current === undefined ? undefined : expiryOf(this._current);
  }

  /** @param now server time */
  async get(now: number): Promise<string | undefined> {
    if (this._current && (!this.canRenew || (this.expiresAt ?? Infinity) > now + LEAST_LIFE_MS)) return this._current;
    return this.fetch(this._refused ? 'refused' : 'connect');
  }

  /** Throws the current token away. Returns whether there can be another. */
  refuse(): boolean {
    this._refused = this._current ?? this._refused;
    this._current = undefined;
    return this.canRenew;
  }

  /** Rejects with TOKEN_FAILED, or with SignedOut if the token function threw that. */
  fetch(reason: TokenReason): Promise<string | undefined> {
    this._flight ??= this._ask(reason);
    return this._flight;
  }

  /** Nobody waits for a token any more. */
  stop(): void {
    this._abort?.abort();
    this._flight = undefined;
  }

  private async _ask(reason: TokenReason): Promise<string | undefined> {
    const { _clock: clock } = this;
    const abort = new AbortController();
    this._abort = abort;
    const { token: source, tokenTimeoutMs: ms = TIMEOUT_MS } = this._options;
    const call = (signal: AbortSignal): MaybeToken | Promise<MaybeToken> =>
      typeof source === 'function' ? source({ reason, signal }) : source;
    try {
      const token = (await limited(call, abort, { clock, ms })) || undefined;
      if (token !== undefined && typeof token !== 'string') throw new TypeError('not a string');
      if (token && token === this._refused) throw new Error('refused before');
      this._current = token;
      return token;
    } catch (cause) {
      throw cause instanceof SignedOut ? cause : failure('TOKEN_FAILED', cause);
    } finally {
      if (this._abort === abort) this._flight = undefined;
    }
  }
}

/** Reads `exp` and verifies nothing: that is for the server. */
function expiryOf(token: string): number | undefined {
  try {
    const [, payload = ''] = token.split('.');
    const { exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1_000 : undefined;
  } catch {
    // Not a JWT that we can read. The server decides.
    return undefined;
  }
}
