import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { exportJWK, type JWK } from 'jose';

import type { KeyPair } from './tokens.js';

type Answer = (response: ServerResponse) => void;

/** An issuer's JWKS endpoint on 127.0.0.1 whose answer a test changes at will. */
export class Issuer implements AsyncDisposable {
  requests = 0;
  answer: Answer = (response) => void response.end('{"keys":[]}');
  readonly #server = createServer((_request, response) => {
    this.requests += 1;
    this.answer(response);
  });

  static async start(...keys: readonly JWK[]): Promise<Issuer> {
    const issuer = new Issuer();
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    issuer.publish(...keys);
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`;
  }

  publish(...keys: readonly JWK[]): void {
    this.answer = (response) => void response.end(JSON.stringify({ keys }));
  }

  fail(): void {
    this.answer = (response) => void response.writeHead(503).end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export async function jwk(pair: KeyPair, kid: string, more: JWK | object = {}): Promise<JWK> {
  return { ...(await exportJWK(pair.publicKey)), kid, ...more };
}
