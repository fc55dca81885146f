import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How long nothing may move on the socket meanwhile. Node no longer watches a socket that it has handed over. */
const IDLE_MS = 60_000;

/** Whether a request that came before on the same socket is not answered yet. */
export function isAnswering(socket: Duplex): boolean {
  return responseOn(socket) !== undefined;
}

/** Whether a part of an answer is on its way already: another one behind it would be read as its rest. */
export function hasBegunToAnswer(socket: Duplex): boolean {
  return responseOn(socket)?.headersSent === true;
}

/**
 * Waits until all requests that came before on the same socket are answered, or the socket is gone. An upgrade must not
 * go first: answers keep the order of their requests (RFC 9112 §9.3.2).
 */
export async function answersSent(socket: Duplex): Promise<void> {
  const destroy = (): void => void socket.destroy();
  // Node forwards this to the response only as long as it owns the socket.
  const drain = (): void => void responseOn(socket)?.emit('drain');
  socket.on('error', destroy).on('drain', drain);
  (socket as Socket).setTimeout(IDLE_MS, destroy);
  for (let response = responseOn(socket); response && !socket.destroyed; response = responseOn(socket)) {
    await once(response, 'close');
  }
  (socket as Socket).setTimeout(0).off('timeout', destroy);
  socket.off('error', destroy).off('drain', drain);
}

/** The answer that is being written. Node has no public way to ask, and assigning a second one throws. */
function responseOn(socket: Duplex): ServerResponse | undefined {
  return (Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined) ?? undefined;
}
