import { countClosed, openConnections } from './connections.js';
import { runLoad, type LoadReport, type Reading, type Server } from './job.js';
import { bytesAfterCollection } from './memory.js';
import type { RawClient } from './raw-client.js';

export interface GrowthConnectionsJob {
  readonly server: Server;
  /** How many connections there are at each reading, in ascending order, apart from the first ones. */
  readonly levels: readonly { readonly measure: string; readonly connections: number }[];
  readonly settleMs: number;
}

/** As in `idle`: open before the first reading, so that compiled code and the first heap pages do not count. */
const base = 500;

async function growthConnections({ server, levels, settleMs }: GrowthConnectionsJob): Promise<LoadReport> {
  const clients: RawClient[] = await openConnections(server, base);
  const empty = await bytesAfterCollection(server, settleMs);
  const readings: Reading[] = [];
  for (const { measure, connections } of levels) {
    clients.push(...(await openConnections(server, connections + base - clients.length)));
    const grown = (await bytesAfterCollection(server, settleMs)) - empty;
    readings.push({ measure, value: grown / 1024 / connections });
  }
  const closed = countClosed(clients);
  return { readings, remarks: [], invalid: closed > 0 ? `${closed} connections were closed` : null };
}

await runLoad(growthConnections);
