import type { Duplex } from 'node:stream';

/** Bytes that the network has carried, in both directions. */
export interface Traffic {
  bytesIn: number;
  bytesOut: number;
}

interface Counted {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
}

/**
 * All that the TCP connection of a socket has carried: upgrade, frames and TLS records, also once it is closed. What waits in the
 * socket to be sent counts as sent. `_parent` is the TCP connection below one of TLS: Node's own, but without it there is only
 * what was in the records.
 */
export function trafficOf(socket: Duplex): Readonly<Traffic> {
  const { bytesRead = 0, bytesWritten = 0 } = (Reflect.get(socket, '_parent') ?? socket) as Counted;
  return { bytesIn: bytesRead, bytesOut: bytesWritten };
}
