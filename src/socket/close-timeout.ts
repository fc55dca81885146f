import type { Duplex } from 'node:stream';
import { unsentBytes } from './traffic.js';

/** How long a client may take to answer a close frame before its socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 5_000;
/** A client that goes on reading after its FIN gets this many times as long. */
const MAX_PERIODS = 12;

/**
 * Bounds how long a socket stays open after the client's FIN. `ws` sets a timer for close frames only, so a client that
 * sends a FIN and never reads would keep its connection forever. The socket is destroyed if the client takes nothing for
 * CLOSE_TIMEOUT_MS, or has not taken everything within a minute.
 */
export function destroyUnlessRead(socket: Duplex): void {
  // Everything was read, and both sides have ended: its close is due.
  if (socket.writableFinished) return;
  let periods = 0;
  let left = waitingBytes(socket);
  const timer = setInterval(() => {
    const now = waitingBytes(socket);
    periods += 1;
    if (now >= left || periods >= MAX_PERIODS) socket.destroy();
    left = now;
  }, CLOSE_TIMEOUT_MS).unref();
  socket.once('close', () => clearInterval(timer));
}

/** Discards further input unread, as `ws` does after a breach that it finds: a flood costs only its bytes. */
export function discardInput(socket: Duplex): void {
  socket.removeAllListeners('data');
  socket.resume();
  socket.end();
}

/** Within one large write only `unsentBytes` falls; behind it, only `writableLength`. */
function waitingBytes(socket: Duplex): number {
  return socket.writableLength + unsentBytes(socket);
}
