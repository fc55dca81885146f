import type { Clock } from './environment.js';
import { GatehouseError, SignedOut } from './errors.js';

/** Why a token is needed: for a first or later connection, before the old one expires, or because the server refused it. */
export type TokenReason = 'connect' | 'expiring' | 'refused';

export interface TokenAsk {
  readonly reason: TokenReason;
  /** Aborts when the client waits no longer. */
  readonly signal: AbortSignal;
}

type MaybeToken = string | null | undefined;
export type TokenSource = string | ((ask: TokenAsk) => MaybeToken | Promise<MaybeToken>);

/** A token that expires within this time is not worth a connection. */
const LEAST_LIFE_MS = 5_000;

/** Asks for tokens: once at a time, not for longer than the limit, and never presents a refused one again. */
export class Tokens {
  private current: string | undefined;
  private refused: string | undefined;
  private flight: Promise<string | undefined> | undefined;

  constructor(
    private readonly source: TokenSource | undefined,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  get canRenew(): boolean {
    return typeof this.source === 'function';
  }

  /** When the current token expires, in milliseconds since 1970. */
  get expiresAt(): number | undefined {
    return this.current === undefined ? undefined : expiryOf(this.current);
  }

  /** @param now server time */
  async forConnection(now: number): Promise<string | undefined> {
    const expiresAt = this.expiresAt ?? Infinity;
    if (this.current !== undefined && (expiresAt > now + LEAST_LIFE_MS || !this.canRenew)) return this.current;
    return this.fetch(this.refused === undefined ? 'connect' : 'refused');
  }

  /** Throws the current token away. Returns whether there can be another. */
  refuse(): boolean {
    this.refused = this.current ?? this.refused;
    this.current = undefined;
    return this.canRenew;
  }

  /** Rejects with TOKEN_FAILED, or with SignedOut if the token function threw that. */
  fetch(reason: TokenReason): Promise<string | undefined> {
    this.flight ??= this.ask(reason).finally(() => (this.flight = undefined));
    return this.flight;
  }

  private async ask(reason: TokenReason): Promise<string | undefined> {
    const { source } = this;
    const token = typeof source === 'function' ? await this.call(source, reason) : source;
    if (token == null) return (this.current = undefined);
    if (typeof token !== 'string') throw failure('The token function returned no string');
    if (token === this.refused) throw failure('The token function returned a token that the server has refused');
    this.current = token;
    return token;
  }

  private call(source: Exclude<TokenSource, string>, reason: TokenReason): Promise<MaybeToken> {
    const abort = new AbortController();
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimeout(() => {
        abort.abort();
        reject(failure('The token function did not answer in time'));
      }, this.timeoutMs);
      const call = async (): Promise<MaybeToken> => source({ reason, signal: abort.signal });
      call()
        .then(resolve, (error: unknown) => {
          reject(error instanceof SignedOut ? error : failure('The token function failed', error));
        })
        .finally(() => this.clock.clearTimeout(timer));
    });
  }
}

function failure(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError('TOKEN_FAILED', message, { cause });
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
