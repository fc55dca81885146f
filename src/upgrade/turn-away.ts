import { createHash } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CLOSES, type CloseName } from '../protocol/close-codes.js';
import { closeFrame } from '../socket/frame.js';
import { linger } from './linger.js';
import { REFUSALS, type Refusal, type RefusalReason } from './refusals.js';

/** RFC 6455 §1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface RefusedUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly reason: RefusalReason;
  /** AUTH_REFUSAL: how to answer where a refusal can be told both ways. */
  readonly preference: 'close' | 'http';
  /** What to write as the chosen subprotocol. A client that offered some reads the close code only if one is chosen. */
  readonly subprotocol: string | undefined;
}

/** Answers a refused client with a few bytes on its bare socket; nothing is allocated that outlives the answer. */
export function turnAway({ request, socket, reason, preference, subprotocol }: RefusedUpgrade): void {
  const { http, close }: Refusal = REFUSALS[reason];
  if (close !== undefined && (http === undefined || preference === 'close')) {
    linger(socket, handshakeAndClose(request, close, subprotocol));
  } else if (http !== undefined) {
    linger(socket, httpAnswer(http.status, http.sentence, http.headers));
  }
}

function httpAnswer(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(sentence)),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${sentence}`;
}

function handshakeAndClose(request: IncomingMessage, name: CloseName, subprotocol: string | undefined): Buffer {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key'] ?? ''}${HANDSHAKE_GUID}`)
    .digest('base64');
  const chosen = subprotocol === undefined ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
  const handshake = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`;
  const { code, reason } = CLOSES[name];
  return Buffer.concat([Buffer.from(handshake), closeFrame(code, reason)]);
}
