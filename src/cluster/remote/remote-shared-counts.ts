import type { CountKind, SharedCounts } from '../ports/shared-counts.js';
import type { StatedCount } from './host-counts.js';
import type { RemoteLink } from './remote-link.js';
import type { RemoteNodeRegistry } from './remote-node-registry.js';
import { busy } from './remote-messages.js';

/**
 * Counts of all workers, in the primary. The share of this worker is kept here, so it can be stated again at any time.
 */
export class RemoteSharedCounts implements SharedCounts {
  private readonly own: Record<CountKind, Map<string, number>> = { user: new Map(), address: new Map() };
  /** How often everything was stated. A place that was taken across a statement is missing in it. */
  private statements = 0;

  constructor(
    private readonly link: RemoteLink,
    registry: RemoteNodeRegistry,
  ) {
    registry.listen({ lost: () => {}, forgotten: () => this.stateAll() });
    link.on('up', () => this.stateAll());
  }

  /** The number of users and addresses that take memory. */
  get size(): number {
    return this.own.user.size + this.own.address.size;
  }

  async take(kind: CountKind, key: string, limit: number): Promise<boolean> {
    if (!this.link.isUp) throw busy();
    const { statements } = this;
    try {
      const hasRoom = (await this.link.call('counts.take', kind, key, limit)) as boolean;
      if (hasRoom) this.own[kind].set(key, this.countOf(kind, key) + 1);
      if (hasRoom && statements !== this.statements) this.state(kind, key);
      return hasRoom;
    } catch (error) {
      // It may have been counted there all the same.
      this.state(kind, key);
      throw error;
    }
  }

  release(kind: CountKind, key: string): void {
    const left = this.countOf(kind, key) - 1;
    if (left < 0) return;
    if (left > 0) this.own[kind].set(key, left);
    else this.own[kind].delete(key);
    this.link.tell('counts.release', kind, key);
  }

  async byNode(kind: CountKind, key: string): Promise<ReadonlyMap<string, number>> {
    return new Map((await this.link.call('counts.byNode', kind, key)) as [string, number][]);
  }

  private countOf(kind: CountKind, key: string): number {
    return this.own[kind].get(key) ?? 0;
  }

  private state(kind: CountKind, key: string): void {
    this.link.tell('counts.state', kind, key, this.countOf(kind, key));
  }

  private stateAll(): void {
    this.statements += 1;
    const stated: StatedCount[] = [];
    for (const kind of ['user', 'address'] as const)
      for (const [key, count] of this.own[kind]) stated.push([kind, key, count]);
    this.link.tell('counts.restate', stated);
  }
}
