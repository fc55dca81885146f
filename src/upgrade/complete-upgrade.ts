import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { Subprotocol } from '../protocol/codecs/codec.js';
import type { Connection } from '../socket/connection.js';
import { rememberChoice } from './chosen-subprotocol.js';
import { acceptableOffer } from './ladder/extension-offers.js';
import { listElements } from './ladder/list-header.js';

interface Accepted {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly subprotocol: Subprotocol | undefined;
}

/** Finishes the handshake. False where the client has hung up meanwhile, or `ws` refuses what only it looks at. */
export function completeUpgrade(
  { request, socket, head, subprotocol }: Accepted,
  server: WebSocketServer,
  onOpen: (connection: Connection) => void,
): boolean {
  let isOpen = false;
  simplify(request.headers);
  rememberChoice(request, subprotocol);
  server.handleUpgrade(request, socket, head, (connection) => {
    isOpen = true;
    onOpen(connection as Connection);
  });
  return isOpen;
}

/** Takes out of the list headers what `ws` refuses though RFC 9110 and RFC 7692 allow it. */
function simplify(headers: IncomingHttpHeaders): void {
  headers.upgrade = 'websocket';
  const subprotocols = headers['sec-websocket-protocol'];
  if (subprotocols !== undefined) headers['sec-websocket-protocol'] = listElements(subprotocols).join(', ');
  const extensions = headers['sec-websocket-extensions'];
  if (extensions === undefined) return;
  const offer = acceptableOffer(extensions);
  // What is malformed is left to `ws`, which looks at it where compression is on.
  if (offer === '') delete headers['sec-websocket-extensions'];
  else if (offer !== undefined) headers['sec-websocket-extensions'] = offer;
}
