import { createHmac, sign } from 'node:crypto';

/** What the tokens of a run are signed with. */
export interface TokenKey {
  readonly algorithm: 'HS256' | 'RS256' | 'ES256';
  /** The shared secret, or the private key as PEM. */
  readonly key: string;
  /** What the header of the token calls the key; null: the header does not name it. */
  readonly keyId: string | null;
}

/** A JWT that is valid for an hour. */
export function signToken(tokenKey: TokenKey, userId: string, roles: readonly string[]): string {
  const { algorithm: alg, keyId } = tokenKey;
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = keyId === null ? { alg, typ: 'JWT' } : { alg, typ: 'JWT', kid: keyId };
  const body = `${part(header)}.${part({ sub: userId, roles, iat: now, exp: now + 3600 })}`;
  return `${body}.${signatureOf(body, tokenKey).toString('base64url')}`;
}

function signatureOf(body: string, { algorithm, key }: TokenKey): Buffer {
  if (algorithm === 'HS256') return createHmac('sha256', key).update(body).digest();
  // RFC 7518 wants r and s side by side; for RSA the encoding has no meaning.
  return sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' });
}
