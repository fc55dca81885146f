import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How long the socket may make no progress meanwhile. Node no longer watches a socket that it has passed on. */
const IDLE_MS = 60_000;

/** Whether an earlier request on the same socket has no response yet. */
export function isAnswering(socket: Duplex): boolean {
  return responseOn(socket) !== undefined;
}

/** Whether a part of a response has been sent already: another one after it would be read as its rest. */
export function hasBegunToAnswer(socket: Duplex): boolean {
  return responseOn(socket)?.headersSent === true;
}

/**
 * Waits until all earlier requests on the same socket have responses, or the socket is gone. An upgrade must not come
 * first, because responses keep the order of requests (RFC 9112 §9.3.2).
 */
export async function answersSent(socket: Duplex): Promise<void> {
  const destroy = (): void => void socket.destroy();
  // Node forwards this event to the response only as long as it owns the socket.
  const drain = (): void => void responseOn(socket)?.emit('drain');
  socket.on('error', destroy).on('drain', drain);
  (socket as Socket).setTimeout(IDLE_MS, destroy);
  for (let response = responseOn(socket); response && !socket.destroyed; response = responseOn(socket)) {
    await once(response, 'close');
  }
  (socket as Socket).setTimeout(0).off('timeout', destroy);
  socket.off('error', destroy).off('drain', drain);
}

/** The response that is being written. Node has no public way to ask, and assigning a second one throws. */
function responseOn(socket: Duplex): ServerResponse | undefined {
  return (Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined) ?? undefined;
}
