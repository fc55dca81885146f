import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';

import { algorithmsOf } from './algorithms.js';

// Errors here name the setting and never its value.

/** @throws Error when the value cannot be a shared secret */
export function secretKey(secret: string): KeyObject {
  if (secret === '') throw new Error('JWT_SECRET is empty: everyone could sign tokens');
  // A public key used as a secret is the classic algorithm confusion: everyone who has the public key could sign.
  if (secret.includes('-----BEGIN ')) throw new Error('JWT_SECRET holds a PEM: a public key belongs in JWT_PUBLIC_KEY');
  return createSecretKey(secret, 'utf8');
}

/** @throws Error when the value is no PEM public key, or one that cannot verify a token */
export function publicKey(pem: string): KeyObject {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new Error('JWT_PUBLIC_KEY holds a private key, which only the issuer of tokens may have');
  }
  const key = importPem(pem.replaceAll('\\n', '\n'));
  if (algorithmsOf(key).length === 0) {
    throw new Error('JWT_PUBLIC_KEY must be RSA of at least 2048 bits or EC on P-256, P-384 or P-521');
  }
  return key;
}

function importPem(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new Error('JWT_PUBLIC_KEY is not a PEM public key or certificate', { cause });
  }
}
