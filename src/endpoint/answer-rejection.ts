import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { CLOSES } from '@gatehouse/protocol';
import { closeFrame } from '../socket/frame.js';
import type { CloseAnswer, Rejection, Upgrade } from '../upgrade/decision.js';
import type { HttpRefusal } from '../upgrade/ladder/refusals.js';
import { linger } from '../upgrade/pending/linger.js';

/** RFC 6455 §1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Answers a refused client with a few bytes on its bare socket. Nothing stays allocated afterwards. */
export function answerRejection({ request, socket }: Upgrade, { answer }: Rejection): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  linger(socket, 'close' in answer ? handshakeAndClose(key, answer) : httpAnswer(answer));
}

function httpAnswer({ status, sentence, headers }: HttpRefusal): string {
  const lines = Object.entries({
    Connection: 'close',
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(sentence)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${sentence}`;
}

function handshakeAndClose(key: string, { close, reason, subprotocol }: CloseAnswer): Buffer {
  const accept = createHash('sha1').update(`${key}${HANDSHAKE_GUID}`).digest('base64');
  const chosen = subprotocol === undefined ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
  const handshake = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`;
  return Buffer.concat([Buffer.from(handshake), closeFrame(CLOSES[close].code, reason)]);
}
