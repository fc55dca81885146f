import { isAlgorithm, type Algorithm } from './algorithms.js';

export interface TokenHeader {
  readonly alg: Algorithm;
  readonly kid: string | undefined;
}

/** The tokens of an issuer have the same header as long as its key does not change. */
let last: { readonly text: string; readonly header: TokenHeader | undefined } = { text: '', header: undefined };

/** What the token claims about its own signature. Use it only to choose a key. */
export function readTokenHeader(token: string): TokenHeader | undefined {
  const text = token.slice(0, Math.max(0, token.indexOf('.')));
  if (text !== last.text) last = { text, header: parseHeader(text) };
  return last.header;
}

function parseHeader(text: string): TokenHeader | undefined {
  const header = parseJson(Buffer.from(text, 'base64url').toString());
  if (typeof header !== 'object' || header === null) return undefined;

  const { alg, kid, crit } = header as Record<string, unknown>;
  if (!isAlgorithm(alg)) return undefined;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  // RFC 7515 §4.1.11: an extension that must be understood and is not makes the token invalid. jsonwebtoken ignores it.
  if (crit !== undefined) return undefined;
  return { alg, kid };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
