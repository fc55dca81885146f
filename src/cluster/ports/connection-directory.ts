import type { ClusterEvents } from './cluster-events.js';
import type { NodeIdentity, NodeRegistry } from './node-registry.js';
import type { RedisLink } from '../redis/connection/redis-link.js';

/** Fixed, without REDIS_PREFIX, because other programs listen to it. */
export const DIRECTORY_CHANNEL = 'websocket:connections';
/** Entries sent and not confirmed. Beyond it Redis is too slow, and further entries are dropped. */
const MAX_UNDER_WAY = 5_000;
/** Lost incarnations that have been reported, because a loss may be reported again. */
const MAX_TOLD = 1_000;
/** Stands for every connection of a lost node. */
const EVERY = '*';

export type DirectoryAction = 'add' | 'remove';

export interface DirectoryParts {
  /** Undefined without Redis. */
  readonly link: RedisLink | undefined;
  readonly registry: NodeRegistry;
  readonly events: ClusterEvents;
}

/**
 * Tells other programs which connection is on which node. Entries of one event-loop turn are sent in one write. No
 * entry is repeated.
 */
export class ConnectionDirectory {
  private readonly told = new Set<string>();
  private underWay = 0;

  constructor(private readonly parts: DirectoryParts) {
    if (parts.link) parts.registry.listen({ lost: (node) => this.tellLost(node), forgotten: () => {} });
  }

  /** Whether entries can be sent. */
  get isOpen(): boolean {
    return this.parts.link !== undefined;
  }

  /**
   * Never rejects.
   *
   * @param userId null for an anonymous session
   */
  tell(action: DirectoryAction, clientId: string, userId: string | null): Promise<void> {
    return this.publish({ action, clientId, userId, serverId: this.parts.registry.self.nodeId });
  }

  private tellLost({ nodeId, incarnation }: NodeIdentity): void {
    // The node is back under its name, and its own entries are newer.
    const isBack = this.parts.registry.nodes.some((node) => node.nodeId === nodeId && node.incarnation !== incarnation);
    if (isBack || this.told.has(incarnation)) return;
    this.told.add(incarnation);
    const [oldest] = this.told;
    if (this.told.size > MAX_TOLD && oldest !== undefined) this.told.delete(oldest);
    void this.publish({ action: 'remove', clientId: EVERY, userId: EVERY, serverId: nodeId });
  }

  private async publish(entry: object): Promise<void> {
    const { link, events } = this.parts;
    if (link === undefined) return;
    if (this.underWay >= MAX_UNDER_WAY) {
      events.emit('lost', 'directory', 1);
      return;
    }
    this.underWay += 1;
    try {
      await link.attempt(() => link.client.publish(DIRECTORY_CHANNEL, JSON.stringify(entry)));
    } catch {
      events.emit('lost', 'directory', 1);
    } finally {
      this.underWay -= 1;
    }
  }
}
