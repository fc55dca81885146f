import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Principal } from '../../authentication/principal.js';
import { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import { readGiver, type GivenOrder } from '../../cluster/ports/given-order.js';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { isOutOfReach } from '../../cluster/ports/record-store.js';
import {
  MAX_REVOCATIONS,
  REVOCATIONS,
  RevocationStore,
  type Revocation,
  type RevocationOf,
} from '../../cluster/ports/revocation-store.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { RETRY_MS } from './list-sync.js';
import { MAX_UNSTORED, ReplicatedList } from './replicated-list.js';
import { RevocationList } from './revocation-list.js';
import { NO_EFFECT, SessionReview, sumOf, type Effect } from './session-review.js';
import { outranked, throwIfForbidden } from './standing.js';

/** The result of an order, over all nodes that answered. */
export interface Outcome extends Effect {
  /** Nodes (SERVER_ID) that did not confirm within two seconds. They find the order in the store. */
  readonly missing: readonly string[];
}

/** More that a node reads from the store at once are the past of the cluster, and nobody waits for their effects. */
const MAX_ANNOUNCED = 16;

/** What takes back something that tokens say: held against every token that comes, and every session that is open, on all nodes. */
@Injectable()
export class Revocations implements OnApplicationBootstrap, OnApplicationShutdown {
  // Twice the maximum, because orders that other nodes had room for must not be refused here.
  private readonly known = new RevocationList(2 * MAX_REVOCATIONS);
  private readonly shared: ReplicatedList<Revocation>;
  private refused = 0;
  /** The effects of orders that were read from the store before the order itself arrived, the newest last. */
  private readonly early = new Map<string, Promise<Effect>>();
  private readonly judgeNow = (principal: Principal): Principal | undefined => this.judge(principal);

  constructor(
    private readonly bus: NodeBus,
    store: RevocationStore,
    private readonly events: ClusterEvents,
    private readonly sessions: SessionReview,
  ) {
    this.shared = new ReplicatedList<Revocation>({
      type: REVOCATIONS,
      names: {
        order: 'revoke',
        lift: 'lift-revocation',
        restated: 'revocations-restated',
        loss: 'revocation',
      },
      bus,
      store,
      events,
      known: this.known,
      effects: {
        enforce: (revocation) => this.earlyEffectOf(revocation) ?? this.enforce(revocation),
        adopt: (stored) => this.adopt(stored),
        released: (revocation) => this.released(revocation),
      },
    });
  }

  /** Runs before the server listens, so that no revoked token comes in first. The server also starts without Redis. */
  async onApplicationBootstrap(): Promise<void> {
    await this.shared.start();
  }

  onApplicationShutdown(): void {
    this.shared.close();
  }

  /** Applies the list to a principal: returns it unchanged or with other rights. Undefined if its token is revoked. */
  judge(principal: Principal): Principal | undefined {
    return this.known.judge(principal, Date.now());
  }

  get<K extends Revocation['kind']>(kind: K, key: string): RevocationOf<K> | undefined {
    return this.known.get(kind, key);
  }

  /** The order in force, also if this node has not heard of it. */
  async find<K extends Revocation['kind']>(kind: K, key: string): Promise<RevocationOf<K> | undefined> {
    const found = (await this.list()).find((one) => one.kind === kind && one.key === key);
    return found as RevocationOf<K> | undefined;
  }

  /** Counts orders and lifts on this node. */
  get changes(): number {
    return this.known.changes;
  }

  /** Those that this node enforces. */
  active(): readonly Revocation[] {
    return this.known.active(Date.now());
  }

  /** Number of entries in force on this node. */
  get activeCount(): number {
    return this.active().length;
  }

  /** Number of orders that were refused because there were too many. */
  get refusedCount(): number {
    return this.refused;
  }

  /**
   * Applies an order on this node at once, and on the others when the store has it. Merges with an entry of the same
   * kind and key; the result is the stricter one.
   *
   * @throws GatehouseError SERVER_BUSY if there are too many: then it does not apply. Also if Redis cannot be
   *   reached: then it applies on this node, and on all nodes when Redis is back. FORBIDDEN if someone above the giver
   *   gave the present one: that stays
   */
  async add(order: Revocation): Promise<Outcome> {
    const present = this.known.get(order.kind, order.key);
    const isInForce = present !== undefined && present.until > Date.now();
    // Merged, it would count as replaced.
    if (isInForce && isOutOfReach(REVOCATIONS, present, order)) throw outranked(present);
    const isFull =
      present === undefined && (this.activeCount >= MAX_REVOCATIONS || this.shared.unstoredCount >= MAX_UNSTORED);
    if (isFull) throw this.full();
    const here = this.enforce(order);
    const revocation = this.known.get(order.kind, order.key) ?? order;
    await this.keep(revocation);
    const { received, missing } = await this.bus.ask<Effect>('revoke', revocation);
    return { ...sumOf([await here, ...received.values()]), missing };
  }

  /**
   * Lifts an order.
   *
   * @param given nodes keep an order that someone above the giver gave
   * @returns whether there was such an order
   * @throws GatehouseError SERVER_BUSY if Redis cannot be reached, FORBIDDEN if someone above the giver gave the order;
   *   then nothing is lifted
   */
  lift(kind: Revocation['kind'], key: string, given: GivenOrder = {}): Promise<boolean> {
    return this.shared.lift({ kind, key, until: 0, reason: '', issuedBefore: 0, roles: [], ...readGiver(given) });
  }

  /** Those in force: of all nodes, and whatever else this node enforces. While Redis is away, only the latter. */
  list(): Promise<readonly Revocation[]> {
    return this.shared.list();
  }

  private async enforce(revocation: Revocation): Promise<Effect> {
    if (!this.known.put(revocation, Date.now())) {
      this.events.emit('lost', 'revocation', 1);
      return NO_EFFECT;
    }
    const { kind, key } = revocation;
    return kind === 'token' ? this.sessions.ofToken(key, this.judgeNow) : this.sessions.ofUser(key, this.judgeNow);
  }

  /** Open sessions whose rights were changed have those of their tokens again. */
  private async released({ kind, key }: Pick<Revocation, 'kind' | 'key'>): Promise<void> {
    if (kind === 'rights') await this.sessions.ofUser(key, this.judgeNow);
  }

  private async keep(revocation: Revocation): Promise<void> {
    const hasRoom = await this.shared.keep(revocation).catch((error: unknown) => {
      throwIfForbidden(error);
      // Parts of a Redis Cluster may still carry it.
      this.bus.tell('revoke', revocation);
      const message =
        'Redis cannot be reached. The revocation applies on this node now, and on all nodes when Redis is back';
      throw new GatehouseError('SERVER_BUSY', { message, retryAfter: RETRY_MS });
    });
    if (hasRoom) return;
    await this.shared.forget(revocation);
    throw this.full();
  }

  private full(): GatehouseError {
    this.refused += 1;
    const message = 'Too many revocations are in force. Lift some, or wait until some expire';
    return new GatehouseError('SERVER_BUSY', { message });
  }

  /** Undefined if this node does not enforce exactly this order yet. */
  private earlyEffectOf(revocation: Revocation): Promise<Effect> | undefined {
    const name = JSON.stringify(revocation);
    const isKnown = JSON.stringify(this.known.get(revocation.kind, revocation.key)) === name;
    return isKnown ? this.early.get(name) : undefined;
  }

  /** The node that gave the order may be about to ask for its effect. */
  private async adoptEach(news: readonly Revocation[]): Promise<void> {
    const effects = news.map((revocation) => {
      const effect = this.enforce(revocation);
      this.early.set(JSON.stringify(revocation), effect);
      return effect;
    });
    for (const name of [...this.early.keys()].slice(0, -MAX_ANNOUNCED)) this.early.delete(name);
    await Promise.all(effects);
  }

  /** All at once, and then one look at the sessions. */
  private async adopt(stored: readonly Revocation[]): Promise<void> {
    const now = Date.now();
    const news = stored.filter((one) => JSON.stringify(this.known.get(one.kind, one.key)) !== JSON.stringify(one));
    if (news.length <= MAX_ANNOUNCED) return this.adoptEach(news);
    const lost = news.filter((revocation) => !this.known.put(revocation, now)).length;
    if (lost > 0) this.events.emit('lost', 'revocation', lost);
    if (news.length > 0) await this.sessions.all(this.judgeNow);
  }
}
