import { createSecretKey, type KeyObject } from 'node:crypto';
import { checkSecret, importPublicKey } from '../../config/keys.js';
import { UnusableSettings } from '../../config/unusable-settings.js';
import { algorithmsOf } from './algorithms.js';

/** @throws Error if the value cannot be a shared secret */
export function secretKey(secret: string): KeyObject {
  if (secret === '') throw new UnusableSettings(['JWT_SECRET must not be empty: anyone could sign tokens']);
  return createSecretKey(
    named('JWT_SECRET', () => checkSecret(secret)),
    'utf8',
  );
}

/** @throws Error if the value is not a PEM public key, or one that cannot verify a token */
export function publicKey(pem: string): KeyObject {
  const key = named('JWT_PUBLIC_KEY', () => importPublicKey(pem));
  if (algorithmsOf(key).length === 0) {
    throw new UnusableSettings(['JWT_PUBLIC_KEY must be RSA of at least 2048 bits or EC on P-256, P-384 or P-521']);
  }
  return key;
}

function named<T>(setting: string, check: () => T): T {
  try {
    return check();
  } catch (fault) {
    throw new UnusableSettings([`${setting} ${(fault as Error).message}`]);
  }
}
