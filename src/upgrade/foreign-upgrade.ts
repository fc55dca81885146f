import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** How long a client may take to hang up once it has its answer: Node no longer watches a socket it has handed out. */
const LINGER_MS = 2_000;
/** How long nothing may move on the socket, as Node bounds the requests it answers itself. */
const IDLE_MS = 300_000;

/** Whether the client offers to switch to something else, as Java's HttpClient and `curl --http2` do with h2c. */
export function isForeignUpgrade({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() !== 'websocket';
}

/**
 * Whether a request that came before on the same socket is not answered yet. Its answer would be written into whatever
 * the upgrade makes of the socket, and a second answer cannot be assigned to it: that throws.
 */
export function isAnswering(socket: Duplex): boolean {
  return responseOn(socket) !== undefined;
}

/** Whether a part of an answer is on its way already: another one behind it would be read as its rest. */
export function hasBegunToAnswer(socket: Duplex): boolean {
  return responseOn(socket)?.headersSent === true;
}

function responseOn(socket: Duplex): ServerResponse | undefined {
  return (Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined) ?? undefined;
}

/**
 * Answers the request as if it had offered nothing, which RFC 9110 §7.8 always allows. Node hands every request with an
 * Upgrade header to the upgrade listener as soon as there is one, so a probe of /health would else be refused.
 */
export function answerAsPlainHttp(server: Server, request: IncomingMessage, socket: Duplex): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.on('finish', () => {
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });
  (socket as Socket).setTimeout(IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  // What still comes is dropped; unread, it would hide that the client has gone.
  socket.resume();
  server.emit('request', request, response);
}
