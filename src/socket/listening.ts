import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { destroyUnlessRead } from './close-timeout.js';

/** What a connection does with the events of `ws` and its socket. */
export interface Listening {
  receive(bytes: Buffer, isBinary: boolean): void;
  pinged(payload: Buffer): void;
  ponged(): void;
  /** The client sends nothing more: FIN. */
  clientEnded(): void;
  end(code: number, reason: string): void;
}

type ListeningSocket = WebSocket & Listening;

/** The property of a socket that holds its connection. */
const CONNECTION = Symbol('connection');

/** Shared functions instead of closures, so that an idle connection pays for no handlers of its own. */
export function listen(connection: ListeningSocket, socket: Duplex): void {
  Reflect.set(socket, CONNECTION, connection);
  // Before `ws`, which ends our side as soon as the client's has ended.
  socket.prependListener('end', onFin);
  connection.on('message', onMessage);
  connection.on('ping', onPing);
  connection.on('pong', onPong);
  connection.on('close', onClose);
  connection.on('error', onError);
}

function onFin(this: Duplex): void {
  (Reflect.get(this, CONNECTION) as ListeningSocket).clientEnded();
  destroyUnlessRead(this);
}

function onMessage(this: WebSocket, bytes: unknown, isBinary: boolean): void {
  (this as ListeningSocket).receive(bytes as Buffer, isBinary);
}

function onPing(this: WebSocket, payload: Buffer): void {
  (this as ListeningSocket).pinged(payload);
}

function onPong(this: WebSocket): void {
  (this as ListeningSocket).ponged();
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as ListeningSocket).end(code, reason.toString());
}

/** A protocol breach of the client. The connection is closing and counted by now. */
function onError(): void {}
