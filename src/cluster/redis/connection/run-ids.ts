import { Cluster, type Redis } from 'ioredis';

/**
 * Detects that another run of a Redis server answers than before (its run_id). Its content may be older, from a
 * snapshot or a replica that was behind, and nothing else says so.
 */
export class RunIds {
  /** By address, for each master. */
  private known = new Map<string, string>();

  constructor(private readonly client: Redis | Cluster) {}

  /**
   * Whether there is a run_id that was not there at the last call. A server that does not answer counts as unchanged.
   */
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

  /** Whether this server answered last. True if that is unknown. */
  has(runId: string | undefined): boolean {
    return runId === undefined || this.known.size === 0 || [...this.known.values()].includes(runId);
  }
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}

/** Undefined if the server does not answer, or does not tell. */
export async function serverRunId(server: Redis): Promise<string | undefined> {
  try {
    return /run_id:(\w+)/.exec(await server.info('server'))?.[1];
  } catch {
    return undefined;
  }
}
