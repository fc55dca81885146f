import { Cluster, type Redis } from 'ioredis';

/**
 * Tells when another life of a Redis server (its run_id) answers than before. It may hold an older state, from a snapshot
 * or of a replica that had fallen behind, and nothing in what it holds says so.
 */
export class RunIds {
  /** By address, of each master. */
  private known = new Map<string, string>();

  constructor(private readonly client: Redis | Cluster) {}

  /** Whether there is one that was not there when this was last asked. A server that does not answer counts as it was. */
  async haveChanged(): Promise<boolean> {
    const servers = this.client instanceof Cluster ? this.client.nodes('master') : [this.client];
    const lives = await Promise.all(
      servers.map(async (server) => [addressOf(server), await serverRunId(server)] as const),
    );
    const present = new Map<string, string>();
    for (const [address, answer] of lives) {
      const life = answer ?? this.known.get(address);
      if (life !== undefined) present.set(address, life);
    }
    if (present.size === 0) return false;
    const former = new Set(this.known.values());
    this.known = present;
    return former.size > 0 && [...present.values()].some((life) => !former.has(life));
  }

  /** Whether this is one of those that answered last. True where either is not known. */
  has(runId: string | undefined): boolean {
    return runId === undefined || this.known.size === 0 || [...this.known.values()].includes(runId);
  }
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}

/** Undefined where the server does not answer, or does not say. */
export async function serverRunId(server: Redis): Promise<string | undefined> {
  try {
    return /run_id:(\w+)/.exec(await server.info('server'))?.[1];
  } catch {
    return undefined;
  }
}
