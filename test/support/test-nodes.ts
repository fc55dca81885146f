import { ClusterSessions } from '../../src/broadcast/cluster-sessions.js';
import { NodeRegistry } from '../../src/cluster/ports/node-registry.js';
import type { StartOptions } from '../../src/server.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from './eventually.js';
import { borrowRedis, type BorrowedRedis } from './redis-pool.js';
import type { RedisServer } from './redis-server.js';
import { startTestServer, type TestServer } from './test-server.js';

type Service<T> = abstract new (...args: never[]) => T;

/** Servers in this process that share one Redis, which nobody else uses meanwhile, and know of each other. `await using` ends all. */
export class TestNodes implements AsyncDisposable {
  private constructor(
    private readonly borrowed: BorrowedRedis,
    private readonly servers: TestServer[],
  ) {}

  static async start(
    ids: readonly string[],
    environment: Record<string, string> = {},
    features: StartOptions['features'] = [],
  ): Promise<TestNodes> {
    const borrowed = await borrowRedis();
    const nodes = new TestNodes(borrowed, []);
    const { redis } = nodes;
    for (const id of ids) {
      const settings = { REDIS_URL: redis.url, ...environment, SERVER_ID: id };
      nodes.servers.push(await startTestServer(settings, features));
    }
    await eventually('all nodes know of each other', () =>
      nodes.servers.every((server) => nodes.registryOf(server).nodes.length >= ids.length),
    );
    // A node starts although it does not hear the others after a second, which a busy machine may take.
    await eventually('all nodes hear each other', async () => {
      const pages = await Promise.all(ids.map((_, index) => nodes.get(index, ClusterSessions).page({ limit: 1 })));
      return pages.every(({ missing }) => missing.length === 0);
    });
    return nodes;
  }

  get redis(): RedisServer {
    return this.borrowed.server;
  }

  at(index: number): TestServer {
    const server = this.servers[index];
    if (server === undefined) throw new Error('no such node');
    return server;
  }

  get<T>(index: number, service: Service<T>): T {
    return this.at(index).app.get(service, { strict: false });
  }

  sessions(index: number): SessionRegistry {
    return this.get(index, SessionRegistry);
  }

  registryOf({ app }: TestServer): NodeRegistry {
    return app.get(NodeRegistry, { strict: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
    await this.borrowed[Symbol.asyncDispose]();
  }
}
