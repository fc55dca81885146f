import calculateSlot from 'cluster-key-slot';
import { Cluster } from 'ioredis';
import { busy, type RedisLink } from '../connection/redis-link.js';
import { WaitingConnection, type ReplicatedRun } from './waiting-connection.js';

/** Stands for the address if there is a single Redis. */
const ONLY_SERVER = '';

/**
 * Scripts that are answered when replicas have their writes. Each master that is needed has a connection of its own.
 */
export class ReplicatedWrites {
  private readonly connections = new Map<string, WaitingConnection>();

  constructor(private readonly link: RedisLink) {}

  /**
   * @throws GatehouseError NOT_REPLICATED if too few replicas have confirmed in time: it is written, and may be lost
   *   with the master. SERVER_BUSY as for `RedisLink.run`
   */
  async run(run: ReplicatedRun): Promise<unknown> {
    const server = this.serverOf(run.keys[0] ?? '');
    if (server === undefined) throw busy();
    return this.connectionTo(server).run(run);
  }

  /** Commands may go to other servers from now on. */
  checkServers(): void {
    for (const connection of this.connections.values()) connection.checkServer();
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  private serverOf(key: string): string | undefined {
    const { client } = this.link;
    return client instanceof Cluster ? client.slots[calculateSlot(key)]?.[0] : ONLY_SERVER;
  }

  private connectionTo(server: string): WaitingConnection {
    const present = this.connections.get(server);
    if (present) return present;
    this.leaveFormerMasters();
    const connection = new WaitingConnection(this.link, server === ONLY_SERVER ? undefined : server);
    this.connections.set(server, connection);
    return connection;
  }

  private leaveFormerMasters(): void {
    const { client } = this.link;
    if (!(client instanceof Cluster)) return;
    const masters = new Set(client.slots.map((holders) => holders?.[0]));
    for (const [server, connection] of this.connections) {
      if (masters.has(server)) continue;
      connection.close();
      this.connections.delete(server);
    }
  }
}
