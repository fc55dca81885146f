import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { destroyUnlessRead } from './close-timeout.js';
import { ignoreRepeatedEnd } from './repeated-end.js';
import { receiverOf } from './receiver.js';

/** What a connection does with the events of its socket. */
export interface Listening {
  /** The client sends nothing more: FIN. */
  clientEnded(): void;
}

type ListeningSocket = WebSocket & Listening;

/** The property of a socket that holds its connection. */
const CONNECTION = Symbol('connection');

/** Shared functions instead of closures, so that an idle connection pays for no handlers of its own. */
export function listen(connection: ListeningSocket, socket: Duplex): void {
  Reflect.set(socket, CONNECTION, connection);
  ignoreRepeatedEnd(socket);
  ignoreRepeatedEnd(receiverOf(connection));
  // Before `ws`, which ends our side as soon as the client's has ended.
  socket.prependListener('end', onFin);
}

function onFin(this: Duplex): void {
  (Reflect.get(this, CONNECTION) as ListeningSocket).clientEnded();
  destroyUnlessRead(this);
}
