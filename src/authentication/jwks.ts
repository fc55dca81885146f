import { KeyObject } from 'node:crypto';

import { Logger } from '@nestjs/common';
import type { JwtService } from '@nestjs/jwt';
import { createRemoteJWKSet, customFetch, errors, type CryptoKey, type RemoteJWKSet } from 'jose';

import { checkKeySetUrl } from '../../config/keys.js';
import { UnusableSettings } from '../../config/unusable-settings.js';
import { algorithmsOf, type AsymmetricAlgorithm } from './algorithms.js';
import { fetchJwks } from './jwks-fetch.js';
import { keyCheck, type ExpectedIssuer } from './key-check.js';

/** All in milliseconds. */
export interface JwksTiming {
  /** Age at which the keys in hand are fetched anew, in the background. */
  readonly refreshAfterMs: number;
  /** Pause between two fetches while keys are in hand, whatever asks for the second: an unknown kid or their age. */
  readonly cooldownMs: number;
  /** The same pause while no key was ever fetched: short, since nobody can connect meanwhile. */
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

/** Of one cooldown. The API makes bad tokens wait, so an attacker must not have many that count as none. */
const MAX_DOUBTS = 100;

/** `absent`: the issuer has no such key. `unusable`: it has, but not one key for this algorithm. */
export type KeyLookup = JwtService | 'absent' | 'unusable' | 'unavailable';

export interface WantedKey {
  readonly alg: AsymmetricAlgorithm;
  readonly kid: string | undefined;
}

/**
 * The keys an issuer publishes. Keys in hand go on working while the issuer is unreachable. jose fetches, parses and
 * imports; when to fetch is decided here, because jose waits for a refresh that is due, fails when that fails, and
 * counts its cooldown from successes only: an outage and made-up kids would make one request for each token.
 */
export class RemoteKeys {
  readonly #logger = new Logger('RemoteKeys');
  readonly #published: RemoteJWKSet;
  readonly #checks = new WeakMap<CryptoKey, JwtService>();
  /** Unknown kids since the last fetch that were given the benefit of the doubt. */
  #doubts = 0;
  #fetching: Promise<void> | undefined;
  #failing = false;
  #loadedAt = -Infinity;
  #triedAt = -Infinity;
  #loggedAt = -Infinity;

  /** @throws Error when the URL is none that keys can be fetched from */
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
    // The issuer may have rotated to a key that an outage keeps from us; only an answer can tell that there is none.
    return fetched === 'absent' && this.#failing ? 'unavailable' : fetched;
  }

  /** The issuer may have rotated since the keys were fetched a moment ago. Only for so many, or made-up kids would never be bad tokens. */
  #mayDoubt(): boolean {
    if (this.#failing) return true;
    this.#doubts += 1;
    return this.#doubts <= MAX_DOUBTS;
  }

  /** Starts the fetch that is due, and waits for it only if the keys in hand are none, or too old to be used unseen. */
  async freshen(): Promise<void> {
    const age = performance.now() - this.#loadedAt;
    if (age < this.timing.refreshAfterMs || !this.#mayFetch()) return;

    // After a quiet night the first token would otherwise be judged by keys the issuer may have withdrawn hours ago.
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

  /** One fetch at a time, shared by all who wait for it. Never rejects. */
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

/** A URL with a password in it is refused here, for fetch would refuse it with a message that quotes it. */
function readUrl(value: string): URL {
  try {
    return new URL(checkKeySetUrl(value));
  } catch (fault) {
    throw new UnusableSettings([`JWT_JWKS_URL ${(fault as Error).message}`]);
  }
}

// fetch says "fetch failed" and hides what happened in the cause.
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}
