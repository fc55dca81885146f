import { dialects } from './dialects.js';
import type { Server } from './job.js';
import { RawClient, type Endpoint } from './raw-client.js';
import { signToken } from './token.js';

/** More tokens than a server would keep verified by chance, fewer than would take long to sign. */
const distinctUsers = 1_000;
/** So many that the kernel finds a free port at once, although those of the last minute are still taken. */
const sourceAddresses = 200;

/** Where the n-th connection goes and as whom. */
export function endpointsOf(server: Server): (index: number) => Endpoint {
  const dialect = dialects[server.dialect];
  const tokens = Array.from({ length: dialect.authenticated ? distinctUsers : 0 }, (_, user) =>
    signToken(server.tokenKey, `user-${user}`, ['MEMBER']),
  );
  return (index) => ({
    port: server.port,
    dialect,
    token: tokens[index % distinctUsers] ?? null,
    localAddress: `127.0.0.${1 + (index % sourceAddresses)}`,
  });
}

export async function openConnections(server: Server, count: number, inFlight = 32): Promise<RawClient[]> {
  const endpointOf = endpointsOf(server);
  const clients: RawClient[] = [];
  let next = 0;
  const openOneAfterAnother = async (): Promise<void> => {
    while (next < count) clients.push(await RawClient.open(endpointOf(next++)));
  };
  await Promise.all(Array.from({ length: inFlight }, openOneAfterAnother));
  return clients;
}

export function countClosed(clients: readonly RawClient[]): number {
  return clients.filter((client) => client.closed).length;
}
