import { identityOf } from '../../ports/node-identity.js';
import { inBatches } from '../../bus/batches.js';
import { RedisScript } from '../connection/redis-script.js';
import { busy, type RedisLink } from '../connection/redis-link.js';
import type { RedisArgument } from '../connection/redis-script.js';
import type { RedisNodeRegistry } from '../registry/redis-node-registry.js';
import type { CountKind, SharedCounts } from '../../ports/shared-counts.js';

const STATE = RedisScript.load('counts-state');
const TAKE = RedisScript.load('counts-take');

/** The count of this node for one user or address. */
interface Own {
  readonly kind: CountKind;
  readonly key: string;
  /** Includes places that are being requested. */
  count: number;
  /** The count in Redis, if known. */
  stated: number | undefined;
  /** The incarnation under which it is stored. */
  statedAs: string | undefined;
  asking: number;
}

const LIFE_MS = 86_400_000;
/**
 * How often everything is stated again: well within the lifetime of a key, and in case a server of a Redis Cluster has
 * lost it.
 */
const ROUND_MS = 600_000;
/** Statements in progress at one time, besides those that request places. */
const AT_ONCE = 100;
const RETRY_MS = 1_000;

export interface CountsOptions {
  readonly roundMs?: number;
}

/**
 * Counts over all nodes, in Redis. The true share of this node is kept here, so it can be written to Redis again at any
 * time.
 */
export class RedisSharedCounts implements SharedCounts {
  /** Bounded by the number of connections, and by the requests before Redis counts as unreachable. */
  private readonly own = new Map<string, Own>();
  /** Counts that Redis does not have, or may not have. */
  private readonly unstated = new Set<Own>();
  private readonly round: NodeJS.Timeout;
  private version = 0;
  private flushing: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly link: RedisLink,
    private readonly registry: RedisNodeRegistry,
    { roundMs = ROUND_MS }: CountsOptions = {},
  ) {
    registry.listen({ lost: () => {}, forgotten: () => this.stateAll() });
    link.on('up', () => this.flush());
    this.round = setInterval(() => this.stateAll(), roundMs).unref();
  }

  /** The number of users and addresses that take memory. */
  get size(): number {
    return this.own.size;
  }

  async take(kind: CountKind, key: string, limit: number): Promise<boolean> {
    if (!this.link.isUp) throw busy();
    const own = this.obtain(kind, key);
    // Before it is granted, so that simultaneous requests state different numbers.
    own.count += 1;
    own.asking += 1;
    let hasRoom = false;
    try {
      hasRoom = (await this.state(own, limit)) === 1;
      return hasRoom;
    } finally {
      own.asking -= 1;
      if (!hasRoom) own.count -= 1;
      this.settle(own);
    }
  }

  release(kind: CountKind, key: string): void {
    const own = this.own.get(nameOf(kind, key));
    if (!own || own.count === 0) return;
    own.count -= 1;
    this.settle(own);
  }

  async byNode(kind: CountKind, key: string): Promise<ReadonlyMap<string, number>> {
    const stated = new Map(
      Object.entries(await this.link.attempt(() => this.link.client.hgetall(this.keyOf(kind, key)))),
    );
    const leased = await this.registry.withLease(new Set(stated.keys()));
    const { nodeId, incarnation: self } = this.registry.self;
    const counts = new Map<string, number>();
    const own = this.own.get(nameOf(kind, key));
    if (own && own.count > 0) counts.set(nodeId, own.count);
    for (const [incarnation, value] of stated) {
      if (incarnation === self || incarnation === own?.statedAs || !leased.has(incarnation)) continue;
      const other = identityOf(incarnation).nodeId;
      counts.set(other, (counts.get(other) ?? 0) + (Number.parseInt(value, 10) || 0));
    }
    return counts;
  }

  /** Writes the outstanding counts, if Redis can be reached. */
  async close(): Promise<void> {
    clearInterval(this.round);
    this.flush();
    await this.flushing;
    clearTimeout(this.retry);
  }

  private obtain(kind: CountKind, key: string): Own {
    const name = nameOf(kind, key);
    const own = this.own.get(name) ?? { kind, key, count: 0, stated: 0, statedAs: undefined, asking: 0 };
    this.own.set(name, own);
    return own;
  }

  /**
   * Writes the current count to Redis.
   *
   * @param limit undefined: without asking whether there is room
   */
  private async state(own: Own, limit?: number): Promise<unknown> {
    const { count, kind, key, statedAs } = own;
    const { incarnation } = this.registry.self;
    this.version += 1;
    const former = statedAs === undefined || statedAs === incarnation ? '' : statedAs;
    const parameters: RedisArgument[] = [incarnation, count, this.version, LIFE_MS, former];
    if (limit !== undefined) parameters.push(limit, this.registry.leaseMs, ...this.registry.incarnations);
    try {
      const answer = await this.link.run(limit === undefined ? STATE : TAKE, [this.keyOf(kind, key)], parameters);
      if (answer === 1) own.stated = count;
      // The count under the former name has been removed.
      else if (former !== '') own.stated = 0;
      own.statedAs = incarnation;
      return answer;
    } catch (error) {
      own.stated = undefined;
      throw error;
    }
  }

  /** Makes sure that Redis gets the count, and that a count of 0 is not kept. */
  private settle(own: Own): void {
    if (own.asking > 0) return;
    if (own.stated !== own.count) {
      // Statements of one event-loop turn go together.
      if (this.unstated.size === 0) setImmediate(() => this.flush());
      this.unstated.add(own);
    } else if (own.count === 0) this.own.delete(nameOf(own.kind, own.key));
  }

  private stateAll(): void {
    for (const own of this.own.values()) {
      own.stated = undefined;
      this.unstated.add(own);
    }
    this.flush();
  }

  private flush(): void {
    clearTimeout(this.retry);
    this.flushing ??= this.stateUnstated().finally(() => (this.flushing = undefined));
  }

  private async stateUnstated(): Promise<void> {
    try {
      while (this.unstated.size > 0 && this.link.isUp) {
        await inBatches([...this.unstated], AT_ONCE, async (own) => {
          this.unstated.delete(own);
          // A requested place is settled after the answer.
          if (own.asking === 0) await this.restate(own);
        });
      }
    } catch {
      // If Redis cannot be reached, its return starts this again.
      this.retry = setTimeout(() => this.flush(), RETRY_MS).unref();
    }
  }

  private async restate(own: Own): Promise<void> {
    try {
      await this.state(own);
    } catch (error) {
      this.unstated.add(own);
      throw error;
    }
    this.settle(own);
  }

  private keyOf(kind: CountKind, key: string): string {
    return this.link.key(nameOf(kind, key), 'places');
  }
}

function nameOf(kind: CountKind, key: string): string {
  return `${kind}:${key}`;
}
