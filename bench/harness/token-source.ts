import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { TokenKey } from '../load/token.js';
import type { TokenKind } from '../peers/catalogue.js';

/** The key of a run: the load signs with it, and the environment tells the server how to check. */
export interface TokenSource extends AsyncDisposable {
  readonly key: TokenKey;
  readonly environment: Readonly<Record<string, string>>;
}

const keyId = 'bench';

export async function tokenSource(kind: TokenKind): Promise<TokenSource> {
  if (kind === 'HS256') {
    const secret = randomBytes(32).toString('hex');
    return {
      key: { algorithm: kind, key: secret, keyId: null },
      environment: { JWT_SECRET: secret },
      ...nothingToStop,
    };
  }
  const algorithm = kind === 'ES256' ? 'ES256' : 'RS256';
  const { privateKey, publicKey } = keyPair(algorithm);
  const key = { algorithm, key: pem(privateKey), keyId: kind === 'JWKS' ? keyId : null } as const;
  if (kind === 'JWKS') return { key, ...(await keySet(publicKey)) };
  return { key, environment: { JWT_PUBLIC_KEY: pem(publicKey) }, ...nothingToStop };
}

const nothingToStop: AsyncDisposable = { [Symbol.asyncDispose]: () => Promise.resolve() };

function keyPair(algorithm: 'RS256' | 'ES256'): { privateKey: KeyObject; publicKey: KeyObject } {
  return algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function pem(key: KeyObject): string {
  return key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }).toString();
}

/** A server in this process that gives out the public key, as an issuer does. */
async function keySet(publicKey: KeyObject): Promise<Omit<TokenSource, 'key'>> {
  const body = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: keyId, alg: 'RS256', use: 'sig' }],
  });
  const issuer = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(body);
  });
  issuer.listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  const address = issuer.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    environment: { JWT_JWKS_URL: `http://127.0.0.1:${port}/jwks.json` },
    [Symbol.asyncDispose]: async () => {
      issuer.closeAllConnections();
      await new Promise((resolve) => issuer.close(resolve));
    },
  };
}
