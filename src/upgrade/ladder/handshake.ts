import type { IncomingMessage } from 'node:http';
import { MAX_HEADERS } from '../pending/http-deadlines.js';
import { offeredProtocols } from './request-target.js';
import type { RefusalReason } from './refusals.js';

/** Sixteen bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** A host of RFC 3986 §3.2.2, and a port, which may be empty. */
const HOST = /^(?:\[[\d.:A-Fa-f]+\]|[\w!$%&'()*+,\-.;=~]*)(?::\d*)?$/;

/** The fault of the request as a WebSocket handshake (RFC 6455 §4.2.1); undefined if there is none. */
export function handshakeFault(request: IncomingMessage): RefusalReason | undefined {
  const { method, headers, rawHeaders } = request;
  if (rawHeaders.length > MAX_HEADERS * 2) return 'too_many_headers';
  if (method !== 'GET') return 'bad_method';
  // Node's parser also lets 0.9 and 2.0 through.
  if (request.httpVersion !== '1.1') return 'bad_http_version';
  if (!hasOneHost(request)) return 'bad_headers';
  if (!offeredProtocols(headers).includes('websocket')) return 'bad_headers';
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) return 'bad_headers';
  return headers['sec-websocket-version'] === '13' ? undefined : 'bad_version';
}

/** RFC 9112 §3.2 requires 400 without it. Node checks this for requests, but not for upgrades. */
function hasOneHost({ headers, rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'host') count += 1;
  }
  return count === 1 && HOST.test(headers.host ?? '');
}
