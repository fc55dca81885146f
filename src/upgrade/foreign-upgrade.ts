import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** Whether the client offers to switch to something else, as Java's HttpClient and `curl --http2` do with h2c. */
export function isForeignUpgrade({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() !== 'websocket';
}

/**
 * Answers the request as if it had offered nothing, which RFC 9110 §7.8 always allows. Node hands every request with an
 * Upgrade header to the upgrade listener as soon as there is one, so a probe of /health would else be refused.
 */
export function answerAsPlainHttp(server: Server, request: IncomingMessage, socket: Duplex): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.on('finish', () => socket.end());
  socket.on('error', () => socket.destroy());
  server.emit('request', request, response);
}
