import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { WebSocketServer } from 'ws';
import type { Subprotocol } from '@gatehouse/protocol';
import type { Connection } from '../socket/connection.js';
import type { Acceptance, EndpointTraits } from '../upgrade/decision.js';
import { acceptableOffer } from '../upgrade/ladder/extension-offers.js';
import { listElements } from '../upgrade/ladder/list-header.js';

interface CompletingEndpoint extends EndpointTraits {
  readonly server: WebSocketServer;
}

/** `ws` asks for the subprotocol in a callback that gets only the request. The policy has chosen it by then. */
const choices = new WeakMap<IncomingMessage, Subprotocol>();

/** For the option `handleProtocols`. False, which makes `ws` write no header, if the client offered only a token. */
export function chosenSubprotocol(_offered: ReadonlySet<string>, request: IncomingMessage): Subprotocol | false {
  return choices.get(request) ?? false;
}

/**
 * Completes the handshake. Returns false if the client has hung up meanwhile, or `ws` refuses something that only it
 * checks.
 */
export function completeUpgrade(
  { upgrade: { request, socket }, head, subprotocol }: Acceptance,
  { server, compresses }: CompletingEndpoint,
  onOpen: (connection: Connection) => void,
): boolean {
  let isOpen = false;
  if (compresses(subprotocol)) simplifyOffers(request.headers);
  else delete request.headers['sec-websocket-extensions'];
  simplify(request.headers);
  if (subprotocol !== undefined) choices.set(request, subprotocol);
  server.handleUpgrade(request, socket, head, (connection) => {
    isOpen = true;
    onOpen(connection as Connection);
  });
  return isOpen;
}

/** Removes from list headers what `ws` refuses although RFC 9110 and RFC 7692 allow it. */
function simplify(headers: IncomingHttpHeaders): void {
  headers.upgrade = 'websocket';
  const subprotocols = headers['sec-websocket-protocol'];
  if (subprotocols !== undefined) headers['sec-websocket-protocol'] = listElements(subprotocols).join(', ');
}

/** Leaves one offer of permessage-deflate that `ws` accepts, or none. */
function simplifyOffers(headers: IncomingHttpHeaders): void {
  const extensions = headers['sec-websocket-extensions'];
  if (extensions === undefined) return;
  const offer = acceptableOffer(extensions);
  // A malformed header is left to `ws`, which checks it.
  if (offer === '') delete headers['sec-websocket-extensions'];
  else if (offer !== undefined) headers['sec-websocket-extensions'] = offer;
}
