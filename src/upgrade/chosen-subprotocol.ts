import type { IncomingMessage } from 'node:http';
import type { Subprotocol } from '../protocol/codecs/codec.js';

/** `ws` asks for the subprotocol in a callback that knows nothing but the request; the ladder has chosen it by then. */
const choices = new WeakMap<IncomingMessage, Subprotocol>();

export function rememberChoice(request: IncomingMessage, subprotocol: Subprotocol | undefined): void {
  if (subprotocol !== undefined) choices.set(request, subprotocol);
}

/** False, which `ws` writes as no header, where the client offered none but a token. */
export function chosenSubprotocol(_offered: ReadonlySet<string>, request: IncomingMessage): Subprotocol | false {
  return choices.get(request) ?? false;
}
