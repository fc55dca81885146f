import type { ListenOptions } from 'node:net';

/** In which `reusePort` came to Node. */
const [MAJOR, MINOR] = [22, 12];

/**
 * Connections that the kernel completes before the server accepts them; its own limit may be lower. With the 511 of
 * Node, many of 15,000 clients that come at once try again after seconds.
 */
const BACKLOG = 4_096;

/**
 * How a server listens on its port, or a worker on that of its machine. The kernel of Linux spreads connections over all
 * sockets of a port. Older versions of Node ignore the option, and node:cluster hands the connections out in turn.
 *
 * @param isWorker whether other processes listen on the same port
 */
export function listenOptions(port: number, host: string | undefined, isWorker: boolean): ListenOptions {
  const options: ListenOptions & { readonly reusePort?: boolean } = {
    port,
    backlog: BACKLOG,
    ...(host !== undefined && { host }),
    ...(isWorker && canReusePort() && { reusePort: true }),
  };
  return options;
}

export function canReusePort(version = process.versions.node, platform = process.platform): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return platform === 'linux' && (major > MAJOR || (major === MAJOR && minor >= MINOR));
}
