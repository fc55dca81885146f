import type { KeyObject } from 'node:crypto';

export const SYMMETRIC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
const RSA_PSS_ALGORITHMS = ['PS256', 'PS384', 'PS512'] as const;
const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', ...RSA_PSS_ALGORITHMS] as const;
const EC_ALGORITHMS = ['ES256', 'ES384', 'ES512'] as const;

export type SymmetricAlgorithm = (typeof SYMMETRIC_ALGORITHMS)[number];
export type AsymmetricAlgorithm = (typeof RSA_ALGORITHMS)[number] | (typeof EC_ALGORITHMS)[number];
export type Algorithm = SymmetricAlgorithm | AsymmetricAlgorithm;

const ALGORITHMS: ReadonlySet<unknown> = new Set([...SYMMETRIC_ALGORITHMS, ...RSA_ALGORITHMS, ...EC_ALGORITHMS]);

const CURVES: Readonly<Record<string, AsymmetricAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

// NIST SP 800-131A: shorter RSA keys are no longer acceptable. jsonwebtoken checks this only when it signs.
const MIN_RSA_BITS = 2048;

/** `none` is not an algorithm here, and neither is EdDSA, which jsonwebtoken 9 cannot verify. */
export function isAlgorithm(value: unknown): value is Algorithm {
  return ALGORITHMS.has(value);
}

export function isSymmetric(algorithm: Algorithm): algorithm is SymmetricAlgorithm {
  return algorithm.startsWith('HS');
}

/** The algorithms that a public key may verify; none for a key type or length that is not accepted. */
export function algorithmsOf(key: KeyObject): readonly AsymmetricAlgorithm[] {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return modulusLength < MIN_RSA_BITS ? [] : RSA_ALGORITHMS;
    case 'rsa-pss':
      return modulusLength < MIN_RSA_BITS ? [] : RSA_PSS_ALGORITHMS;
    case 'ec': {
      const algorithm = CURVES[namedCurve];
      return algorithm === undefined ? [] : [algorithm];
    }
    default:
      return [];
  }
}
