import { KeyObject } from 'node:crypto';

import { Logger } from '@nestjs/common';
import type { JwtService } from '@nestjs/jwt';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type CryptoKey,
  type FetchImplementation,
  type RemoteJWKSet,
} from 'jose';

import { checkKeySetUrl } from '../../config/keys.js';
import { UnusableSettings } from '../../config/unusable-settings.js';
import { algorithmsOf, type AsymmetricAlgorithm } from './algorithms.js';
import { keyCheck, type ExpectedIssuer } from './key-check.js';

/** All in milliseconds. */
export interface JwksTiming {
  /** Age at which the cached keys are fetched again, in the background. */
  readonly refreshAfterMs: number;
  /** Pause between two fetches while keys are cached, whether an unknown kid or their age causes the second. */
  readonly cooldownMs: number;
  /** The same pause while no key was ever fetched. Short, because nobody can connect meanwhile. */
  readonly firstFetchPauseMs: number;
  readonly fetchTimeoutMs: number;
  /** A lasting outage is logged once in this time. */
  readonly logEveryMs: number;
}

export const JWKS_TIMING: JwksTiming = {
  refreshAfterMs: 600_000,
  cooldownMs: 30_000,
  firstFetchPauseMs: 1_000,
  fetchTimeoutMs: 5_000,
  logEveryMs: 60_000,
};

/**
 * For one cooldown. The API delays clients with bad tokens, so an attacker must not have many that do not count as bad.
 */
const MAX_DOUBTS = 100;
/** Identity providers publish 2 to 20 KiB, certificates included. */
const MAX_JWKS_BYTES = 262_144;

/** `absent`: the issuer has no such key. `unusable`: it has keys, but not exactly one for this algorithm. */
export type KeyLookup = JwtService | 'absent' | 'unusable' | 'unavailable';

export interface WantedKey {
  readonly alg: AsymmetricAlgorithm;
  readonly kid: string | undefined;
}

/**
 * The keys that an issuer publishes. Cached keys stay in use while the issuer cannot be reached. jose fetches, parses
 * and imports them. We decide when to fetch, because jose waits for a refresh that is due, fails if it fails, and
 * counts its cooldown only from successes: an outage and invented kids would cause one request for each token.
 */
export class RemoteKeys {
  readonly #logger = new Logger('RemoteKeys');
  readonly #published: RemoteJWKSet;
  readonly #checks = new WeakMap<CryptoKey, JwtService>();
  /** Unknown kids since the last fetch that were treated as if the issuer might have them. */
  #doubts = 0;
  #fetching: Promise<void> | undefined;
  #failing = false;
  #loadedAt = -Infinity;
  #triedAt = -Infinity;
  #loggedAt = -Infinity;

  /** @throws Error if keys cannot be fetched from the URL */
  constructor(
    url: string,
    private readonly expected: ExpectedIssuer,
    private readonly timing: JwksTiming = JWKS_TIMING,
  ) {
    this.#published = createRemoteJWKSet(readUrl(url), {
      cacheMaxAge: Infinity,
      cooldownDuration: Infinity,
      timeoutDuration: timing.fetchTimeoutMs,
      [customFetch]: fetchJwks,
    });
  }

  async find(wanted: WantedKey): Promise<KeyLookup> {
    const askedAt = performance.now();
    await this.freshen();
    if (!this.#loaded) return 'unavailable';

    const known = await this.#lookUp(wanted);
    if (known !== 'absent') return known;

    if (!this.#mayFetch()) {
      const isCertain = this.#loadedAt >= askedAt && !this.#failing;
      return isCertain || !this.#mayDoubt() ? 'absent' : 'unavailable';
    }
    await this.#fetch();
    const fetched = await this.#lookUp(wanted);
    // The issuer may have a new key that the outage hides. Only a response can show that there is none.
    return fetched === 'absent' && this.#failing ? 'unavailable' : fetched;
  }

  /**
   * The issuer may have rotated its keys since the last fetch. Limited in number, or invented kids would never be
   * invalid.
   */
  #mayDoubt(): boolean {
    if (this.#failing) return true;
    this.#doubts += 1;
    return this.#doubts <= MAX_DOUBTS;
  }

  /**
   * Starts the fetch that is due. Waits for it only if there are no cached keys, or they are too old to be used
   * unchecked.
   */
  async freshen(): Promise<void> {
    const age = performance.now() - this.#loadedAt;
    if (age < this.timing.refreshAfterMs || !this.#mayFetch()) return;

    // Without this, the first token after a quiet night would be checked with keys that the issuer may have withdrawn
    // hours ago.
    const tooOld = age >= 2 * this.timing.refreshAfterMs && !this.#failing;
    const fetched = this.#fetch();
    if (!this.#loaded || tooOld) await fetched;
  }

  get #loaded(): boolean {
    return this.#loadedAt !== -Infinity;
  }

  #mayFetch(): boolean {
    const pause = this.#loaded ? this.timing.cooldownMs : this.timing.firstFetchPauseMs;
    return this.#fetching !== undefined || performance.now() - this.#triedAt >= pause;
  }

  /** One fetch at a time, shared by all that wait for it. Never rejects. */
  #fetch(): Promise<void> {
    if (this.#fetching !== undefined) return this.#fetching;

    this.#triedAt = performance.now();
    this.#doubts = 0;
    this.#fetching = this.#published
      .reload()
      .then(
        () => this.#succeeded(),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  #succeeded(): void {
    this.#loadedAt = performance.now();
    if (this.#failing) this.#logger.log('fetching signing keys works again');
    this.#failing = false;
  }

  #failed(error: unknown): void {
    this.#failing = true;
    const now = performance.now();
    if (now - this.#loggedAt < this.timing.logEveryMs) return;
    this.#loggedAt = now;
    const consequence = this.#loaded ? 'the cached keys stay in use' : 'tokens signed with them cannot be verified';
    this.#logger.warn({ msg: 'cannot fetch signing keys', reason: describe(error), consequence });
  }

  async #lookUp({ alg, kid }: WantedKey): Promise<KeyLookup> {
    try {
      const key = await this.#published(kid === undefined ? { alg } : { alg, kid });
      return this.#checkWith(key, alg) ?? 'unusable';
    } catch (error) {
      return error instanceof errors.JWKSNoMatchingKey ? 'absent' : 'unusable';
    }
  }

  // jose imports a JWK once for each algorithm and returns the same CryptoKey from then on.
  #checkWith(key: CryptoKey, alg: AsymmetricAlgorithm): JwtService | undefined {
    const known = this.#checks.get(key);
    if (known !== undefined) return known;

    const keyObject = KeyObject.from(key);
    if (!algorithmsOf(keyObject).includes(alg)) return undefined;
    const check = keyCheck(keyObject, [alg], this.expected);
    this.#checks.set(key, check);
    return check;
  }
}

/** A fetch for jose with a limit on the body. jose sets the timeout, refuses redirects and checks the status. */
const fetchJwks: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    return response;
  }

  const chunks: Uint8Array[] = [];
  let size = 0;
  // Throwing inside the loop cancels the body, and so the transfer.
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_JWKS_BYTES) throw new Error(`JSON Web Key Set is larger than ${MAX_JWKS_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: 200 });
};

/** Refuses a URL with a password, because the error of fetch would quote it. */
function readUrl(value: string): URL {
  try {
    return new URL(checkKeySetUrl(value));
  } catch (fault) {
    throw new UnusableSettings([`JWT_JWKS_URL ${(fault as Error).message}`]);
  }
}

// fetch says "fetch failed" and has the reason in its cause.
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}
