import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { WebSocketServer } from 'ws';
import type { Subprotocol } from '@gatehouse/protocol';
import type { Connection } from '../socket/connection.js';
import type { Acceptance } from '../upgrade/decision.js';
import { acceptableOffer } from '../upgrade/ladder/extension-offers.js';
import { listElements } from '../upgrade/ladder/list-header.js';

/** `ws` asks for the subprotocol in a callback that knows nothing but the request; the policy has chosen it by then. */
const choices = new WeakMap<IncomingMessage, Subprotocol>();

/** For the option `handleProtocols`. False, which `ws` writes as no header, where the client offered none but a token. */
export function chosenSubprotocol(_offered: ReadonlySet<string>, request: IncomingMessage): Subprotocol | false {
  return choices.get(request) ?? false;
}

/** Finishes the handshake. False where the client has hung up meanwhile, or `ws` refuses what only it looks at. */
export function completeUpgrade(
  { upgrade: { request, socket }, head, subprotocol }: Acceptance,
  server: WebSocketServer,
  onOpen: (connection: Connection) => void,
): boolean {
  let isOpen = false;
  simplify(request.headers);
  if (subprotocol !== undefined) choices.set(request, subprotocol);
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
