import { createHash } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { reasonOfBan, reasonWithBan, type Ban } from '../access/lists/ban-reason.js';
import { CLOSES, type CloseName } from '../protocol/close-codes.js';
import { closeFrame } from '../socket/frame.js';
import { linger } from './pending/linger.js';
import { REFUSALS, type Refusal, type RefusalReason } from './ladder/refusals.js';

/** RFC 6455 §1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface RefusedUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly reason: RefusalReason;
  /** AUTH_REFUSAL: how to answer where a refusal can be told both ways. */
  readonly preference: 'close' | 'http';
  readonly isFromProxy: boolean;
  /** What keeps the client out, where it is a ban. */
  readonly ban: Ban | undefined;
  /** What to write as the chosen subprotocol. A client that offered some reads the close code only if one is chosen. */
  readonly subprotocol: string | undefined;
}

/** Answers a refused client with a few bytes on its bare socket; nothing is allocated that outlives the answer. */
export function rejectUpgrade(refused: RefusedUpgrade): void {
  const { socket, reason, preference, isFromProxy } = refused;
  const { http, close, isForProxies }: Refusal = REFUSALS[reason];
  const isHttpPreferred = preference === 'http' || (isForProxies === true && isFromProxy);
  if (close !== undefined && !(http !== undefined && isHttpPreferred)) {
    linger(socket, handshakeAndClose(refused, close));
  } else if (http !== undefined) {
    linger(socket, httpAnswer(http.status, http.sentence, http.headers));
  }
}

function httpAnswer(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({
    Connection: 'close',
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(sentence)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${sentence}`;
}

function handshakeAndClose({ request, reason: refusal, subprotocol, ban }: RefusedUpgrade, name: CloseName): Buffer {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key'] ?? ''}${HANDSHAKE_GUID}`)
    .digest('base64');
  const chosen = subprotocol === undefined ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
  const handshake = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`;
  const reason = ban && refusal === 'banned' ? reasonOfBan(ban) : reasonWithBan(name, ban);
  return Buffer.concat([Buffer.from(handshake), closeFrame(CLOSES[name].code, reason)]);
}
