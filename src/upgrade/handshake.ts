import type { IncomingMessage } from 'node:http';
import { MAX_HEADERS } from './http-deadlines.js';
import type { RefusalReason } from './refusals.js';

/** Sixteen bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** What is wrong with the request as a WebSocket handshake (RFC 6455 §4.2.1); undefined where nothing is. */
export function handshakeFault({ method, headers, rawHeaders }: IncomingMessage): RefusalReason | undefined {
  if (rawHeaders.length > MAX_HEADERS * 2) return 'too_many_headers';
  if (method !== 'GET') return 'bad_method';
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'bad_headers';
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) return 'bad_headers';
  return headers['sec-websocket-version'] === '13' ? undefined : 'bad_version';
}
