import type { Duplex } from 'node:stream';

/** How long a refused client may take to hang up. */
const LINGER_MS = 2_000;

/**
 * Sends a last answer, and reads what the client still sends. Otherwise its system would answer our last bytes with a
 * reset and lose them.
 */
export function linger(socket: Duplex, answer: string | Buffer): void {
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.end(answer);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}
