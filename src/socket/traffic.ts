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
  const { bytesRead = 0, bytesWritten = 0 } = connectionOf(socket);
  return { bytesIn: bytesRead, bytesOut: bytesWritten };
}

/**
 * Bytes that the operating system has not taken yet of what it was given last. It falls within one large write, where
 * `writableLength` does not: what Node's own socket timeout looks at. 0 where there is no such number.
 */
export function unsentBytes(socket: Duplex): number {
  const handle = Reflect.get(connectionOf(socket), '_handle') as
    { readonly writeQueueSize?: number } | null | undefined;
  return handle?.writeQueueSize ?? 0;
}

function connectionOf(socket: Duplex): Counted {
  return (Reflect.get(socket, '_parent') ?? socket) as Counted;
}
