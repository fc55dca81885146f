import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { RedisServer } from './redis-server.js';

const SLOTS = 16_384;
const MASTERS = 3;
/** Only one that is silent takes so long. */
const PATIENCE_MS = 10_000;
/** So long that no starved server is taken for dead: a replica takes over where a test says so. */
const OPTIONS = [
  '--cluster-enabled yes --cluster-require-full-coverage no --cluster-node-timeout 120000',
  '--repl-diskless-sync-delay 0 --cluster-replica-validity-factor 0',
].flatMap((options) => options.split(' '));

export interface RedisClusterSetup {
  /** Of each of the three masters. */
  readonly replicas?: 0 | 1;
  /** Of each server, beside those of a cluster. */
  readonly options?: readonly string[];
}

/** A Redis Cluster of a test's own, with three masters. `await using` ends it. */
export class RedisCluster implements AsyncDisposable {
  private constructor(readonly servers: readonly RedisServer[]) {}

  static async start({ replicas = 0, options = [] }: RedisClusterSetup = {}): Promise<RedisCluster> {
    const count = MASTERS * (1 + replicas);
    const starting = Array.from({ length: count }, () => RedisServer.start([...OPTIONS, ...options]));
    const cluster = new RedisCluster(await Promise.all(starting));
    try {
      await cluster.join();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** What REDIS_URL is with REDIS_MODE=cluster. */
  get urls(): string {
    return this.servers.map(({ url }) => url).join(',');
  }

  /** The master of the slot that the key is in. */
  async ownerOf(key: string): Promise<RedisServer> {
    return (await this.holdersOf(key))[0];
  }

  /** The master of the slot that the key is in, and its replicas, as a server sees it that has not been killed. */
  async holdersOf(key: string): Promise<[master: RedisServer, ...replicas: RedisServer[]]> {
    for (const server of this.servers) {
      try {
        return await this.holdersAsSeenBy(server, key);
      } catch {
        // It has been killed, or does not know: the next one may.
      }
    }
    throw new Error(`Nobody knows who has ${key}`);
  }

  /** Has a replica take over from this server, which has been killed, or is silent. Resolves once the key has another owner. */
  async replace(server: RedisServer, key: string): Promise<void> {
    const others = this.servers.filter((other) => other !== server && other.isRunning);
    let replica: RedisServer | undefined;
    await eventually('somebody knows its replica', async () => {
      const seen = others.map((other) => this.holdersAsSeenBy(other, key).catch(() => []));
      replica = (await Promise.all(seen)).flatMap(([, ...replicas]) => replicas)[0];
      return replica !== undefined;
    });
    if (replica !== undefined) await asked(replica, (client) => client.call('CLUSTER', 'FAILOVER', 'TAKEOVER'));
    await eventually('all servers know of it', async () => {
      // While the slot changes hands, a server may know no owner.
      const seen = others.map((other) => this.holdersAsSeenBy(other, key).catch(() => []));
      return (await Promise.all(seen)).every(([owner]) => owner !== undefined && owner === replica);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }

  private async join(): Promise<void> {
    const clients = this.servers.map(({ port }) => new Redis(port, '127.0.0.1'));
    try {
      const masters = clients.slice(0, MASTERS);
      for (const [index, master] of masters.entries()) {
        const [first, last] = [index, index + 1].map((part) => Math.ceil((part * SLOTS) / MASTERS));
        await master.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String((last ?? 0) - 1));
      }
      // An epoch for each, as redis-cli does. Servers with the same epoch raise theirs until they differ, but only while both are
      // masters: a replica left with the epoch of its master would take over and nobody would believe it.
      for (const [index, client] of clients.entries())
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      // Each meets each: with a timeout as long as theirs they are slow to hear of each other.
      for (const client of clients)
        for (const { port } of this.servers) await client.call('CLUSTER', 'MEET', '127.0.0.1', String(port));
      await Promise.all(clients.map((client) => knowsAll(client, clients.length)));
      await Promise.all(clients.slice(MASTERS).map((replica, index) => follow(replica, masters[index])));
      await Promise.all(clients.map(isServed));
    } finally {
      for (const client of clients) client.disconnect();
    }
  }

  private holdersAsSeenBy(server: RedisServer, key: string): Promise<[RedisServer, ...RedisServer[]]> {
    return asked(server, async (client) => {
      const slot = Number(await client.call('CLUSTER', 'KEYSLOT', key));
      const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, ...[string, number][]][];
      const [, , ...holders] = ranges.find(([first, last]) => first <= slot && slot <= last) ?? [0, 0];
      const servers = holders.flatMap(([, at]) => this.servers.find(({ port }) => port === at) ?? []);
      const [owner, ...replicas] = servers;
      if (!owner) throw new Error(`Slot ${slot} has no owner`);
      return [owner, ...replicas];
    });
  }
}

/** Asks one server; fails where it is not there, or is silent. */
async function asked<T>({ port }: RedisServer, ask: (client: Redis) => Promise<T>): Promise<T> {
  const limits = { connectTimeout: PATIENCE_MS, commandTimeout: PATIENCE_MS };
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => null, lazyConnect: true, ...limits });
  client.on('error', () => {});
  try {
    await client.connect();
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

async function knowsAll(client: Redis, count: number): Promise<void> {
  await eventually('the servers know each other', async () => {
    const lines = String(await client.call('CLUSTER', 'NODES'))
      .trim()
      .split('\n');
    return lines.length === count && !lines.some((line) => line.includes('handshake'));
  });
}

async function follow(replica: Redis, master: Redis | undefined): Promise<void> {
  await replica.call('CLUSTER', 'REPLICATE', String(await master?.call('CLUSTER', 'MYID')));
  const isLinked = async (): Promise<boolean> => (await replica.info('replication')).includes('master_link_status:up');
  await eventually('the replica has what its master has', isLinked);
}

/** Without full coverage the state is ok although the server has not heard yet who has some of the slots. */
async function isServed(client: Redis): Promise<void> {
  const isOk = async (): Promise<boolean> => {
    const info = String(await client.call('CLUSTER', 'INFO'));
    return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`);
  };
  await eventually('the cluster serves every slot', isOk);
}
