import { createPublicKey, type KeyObject } from 'node:crypto';

const FERNET_KEY = /^[\w-]{43}=?$/;

/** Whether a text is 32 bytes in base64url, as Fernet's keys are written. */
export function isFernetKey(key: string): boolean {
  return FERNET_KEY.test(key);
}

// Errors name the mistake and never the value.

/** @throws Error if the value cannot be a shared secret */
export function checkSecret(secret: string): string {
  // A public key used as a secret is the classic algorithm confusion: everyone who has the public key could sign.
  if (secret.includes('-----BEGIN '))
    throw new Error('must be a secret, not a PEM: a public key belongs in JWT_PUBLIC_KEY');
  return secret;
}

/**
 * @param pem line breaks may be written as \n
 * @throws Error if the value is not a public key
 */
export function importPublicKey(pem: string): KeyObject {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new Error('must be the public key. Only the issuer of tokens may have the private key');
  }
  try {
    return createPublicKey(pem.replaceAll('\\n', '\n'));
  } catch {
    throw new Error('must be a PEM public key or certificate (line breaks may be written as \\n)');
  }
}

/** @throws Error if the value is not an http(s) address, or contains a user name and password */
export function checkKeySetUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw new Error('must be an http or https URL');
  if (url.username !== '' || url.password !== '') throw new Error('must not contain credentials');
  return text;
}
