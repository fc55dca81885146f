import type { IncomingHttpHeaders } from 'node:http';

import { readSubprotocolList } from './subprotocol-list.js';

export interface UpgradeRequest {
  readonly headers: IncomingHttpHeaders;
  readonly url?: string | undefined;
}

export type Credentials =
  | {
      readonly ok: true;
      /** Undefined: the client sent none. An empty string is an invalid token and not an anonymous client. */
      readonly token: string | undefined;
      /**
       * The subprotocols that the client offered, in its order, without entries that carry a token, which must never be
       * echoed.
       */
      readonly offeredSubprotocols: readonly string[];
    }
  | { readonly ok: false; readonly reason: 'malformed_subprotocols' };

const MALFORMED: Credentials = Object.freeze({ ok: false, reason: 'malformed_subprotocols' });

/** Finds the token of an upgrade request. The first of the three places that has one counts. Never throws. */
export function findCredentials({ headers, url }: UpgradeRequest): Credentials {
  const entries = readSubprotocolList(headers['sec-websocket-protocol']);
  if (entries === undefined) return MALFORMED;

  const offeredSubprotocols: string[] = [];
  let offeredToken: string | undefined;
  for (const entry of entries) {
    const token = tokenInSubprotocol(entry);
    if (token === undefined) offeredSubprotocols.push(entry);
    else offeredToken ??= token;
  }

  const token = tokenInAuthorization(headers.authorization) ?? offeredToken ?? tokenInQuery(url);
  return { ok: true, token, offeredSubprotocols };
}

/** Where a client sent its token, for the audit log. */
export type CredentialSource = 'header' | 'subprotocol' | 'query' | 'none';

/** Which of the three places `findCredentials` takes the token from. */
export function credentialSource({ headers, url }: UpgradeRequest): CredentialSource {
  if (tokenInAuthorization(headers.authorization) !== undefined) return 'header';
  const offered = readSubprotocolList(headers['sec-websocket-protocol']) ?? [];
  if (offered.some((entry) => tokenInSubprotocol(entry) !== undefined)) return 'subprotocol';
  return tokenInQuery(url) === undefined ? 'none' : 'query';
}

// Other schemes are ignored: a proxy in front may use Basic for itself.
function tokenInAuthorization(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const scheme = /^bearer(?:[ \t]+|$)/i.exec(value);
  return scheme === null ? undefined : value.slice(scheme[0].length);
}

function tokenInSubprotocol(entry: string): string | undefined {
  if (/^bearer\./i.test(entry)) return entry.slice('bearer.'.length);
  // `eyJ` is `{"` in base64url. Broken, unsigned and encrypted tokens count too: the verifier refuses them, and as
  // subprotocols they might be logged.
  return entry.startsWith('eyJ') && entry.includes('.') ? entry : undefined;
}

function tokenInQuery(url: string | undefined): string | undefined {
  const start = url?.indexOf('?') ?? -1;
  if (url === undefined || start < 0) return undefined;
  return new URLSearchParams(url.slice(start + 1)).get('token') ?? undefined;
}
