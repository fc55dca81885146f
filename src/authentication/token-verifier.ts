import type { OnModuleInit } from '@nestjs/common';
import { TokenExpiredError, type JwtService } from '@nestjs/jwt';

import { algorithmsOf, isSymmetric, SYMMETRIC_ALGORITHMS } from './algorithms.js';
import type { AuthenticationSettings } from './authentication-settings.js';
import { principalFromClaims } from './claims.js';
import { JWKS_TIMING, RemoteKeys, type JwksTiming, type WantedKey } from './jwks.js';
import { keyCheck } from './key-check.js';
import type { Principal } from './principal.js';
import { publicKey, secretKey } from './static-keys.js';
import { readTokenHeader } from './token-header.js';

/**
 * `unavailable`: the issuer's keys cannot be fetched, and no cached key fits. The token may be valid; try again later.
 */
export type VerdictReason = 'expired' | 'invalid' | 'unavailable';
export type Verdict =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly reason: VerdictReason };

const EXPIRED: Verdict = Object.freeze({ ok: false, reason: 'expired' });
const INVALID: Verdict = Object.freeze({ ok: false, reason: 'invalid' });
const UNAVAILABLE: Verdict = Object.freeze({ ok: false, reason: 'unavailable' });

const MAX_TOKEN_LENGTH = 8192;

/** Checks tokens with every configured key source. The reason why a token is invalid is neither sent nor logged. */
export class TokenVerifier implements OnModuleInit {
  readonly #secret: JwtService | undefined;
  readonly #publicKey: JwtService | undefined;
  readonly #remoteKeys: RemoteKeys | undefined;
  readonly #toleranceMs: number;

  /** @throws Error naming the setting without a usable key */
  constructor(settings: AuthenticationSettings, timing: JwksTiming = JWKS_TIMING) {
    const { jwtSecret, jwtPublicKey, jwksUrl, clockToleranceMs } = settings;
    this.#toleranceMs = clockToleranceMs;
    if (jwtSecret !== undefined) this.#secret = keyCheck(secretKey(jwtSecret), SYMMETRIC_ALGORITHMS, settings);
    if (jwtPublicKey !== undefined) {
      const key = publicKey(jwtPublicKey);
      this.#publicKey = keyCheck(key, algorithmsOf(key), settings);
    }
    if (jwksUrl !== undefined) this.#remoteKeys = new RemoteKeys(jwksUrl, settings, timing);
  }

  // So that the first client does not wait for the fetch. An issuer that is down must not keep the server from
  // starting.
  onModuleInit(): void {
    void this.#remoteKeys?.freshen();
  }

  /** Returns a promise only if the key may have to be fetched. */
  verify(token: string): Verdict | Promise<Verdict> {
    if (token.length > MAX_TOKEN_LENGTH) return INVALID;
    const header = readTokenHeader(token);
    if (header === undefined) return INVALID;

    const { alg, kid } = header;
    if (isSymmetric(alg)) return this.#judge(this.#secret, token);

    const verdict = this.#judge(this.#publicKey, token);
    if (verdict !== INVALID || this.#remoteKeys === undefined) return verdict;
    return this.#judgeByRemoteKey(this.#remoteKeys, { alg, kid }, token);
  }

  async #judgeByRemoteKey(keys: RemoteKeys, wanted: WantedKey, token: string): Promise<Verdict> {
    const key = await keys.find(wanted);
    if (key === 'unavailable') return UNAVAILABLE;
    return typeof key === 'string' ? INVALID : this.#judge(key, token);
  }

  #judge(key: JwtService | undefined, token: string): Verdict {
    if (key === undefined) return INVALID;

    let claims: unknown;
    try {
      // Not verifyAsync: there is nothing to wait for, and it adds four promises to each connection.
      claims = key.verify<object>(token);
    } catch (error) {
      return error instanceof TokenExpiredError ? EXPIRED : INVALID;
    }
    const principal = principalFromClaims(claims, this.#toleranceMs);
    return principal === undefined ? INVALID : { ok: true, principal };
  }
}
