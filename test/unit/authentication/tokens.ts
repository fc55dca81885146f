import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import { SignJWT } from 'jose';

import type { AuthenticationSettings } from '../../../src/authentication/authentication-settings.js';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const SECRET = 'a secret of more than thirty-two characters';
export const RSA: KeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const EC: KeyPair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
export const ED: KeyPair = generateKeyPairSync('ed25519');

export function settings(some: Partial<AuthenticationSettings>): AuthenticationSettings {
  return {
    mode: 'required',
    jwtSecret: undefined,
    jwtPublicKey: undefined,
    jwksUrl: undefined,
    issuer: undefined,
    audience: undefined,
    clockToleranceMs: 0,
    ...some,
  };
}

export function pem({ publicKey }: KeyPair): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Of any shape, right or wrong; undefined takes a default away. */
export type Claims = Readonly<Record<string, unknown>>;

export interface Signer {
  readonly alg: string;
  readonly key: KeyObject | Uint8Array;
  readonly kid?: string;
}

/** Signed by jose, so that what verifies is not what signed. */
export function sign({ alg, key, kid }: Signer, claims: Claims = {}): Promise<string> {
  const header = kid === undefined ? { alg } : { alg, kid };
  const payload = { sub: 'ada', exp: nowInSeconds() + 60, ...claims };
  return new SignJWT(payload).setProtectedHeader(header).sign(key);
}

export function withSecret(claims: Claims = {}, alg = 'HS256'): Promise<string> {
  return sign({ alg, key: Buffer.from(SECRET) }, claims);
}

export function forge(header: object, claims: object, signature = ''): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
