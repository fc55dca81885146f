import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Principal } from '../../authentication/principal.js';
import { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import { readGiver, type GivenOrder } from '../../cluster/ports/given-order.js';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import {
  RevocationStore,
  MAX_REVOCATIONS,
  nameOf,
  revocationOf,
  type Revocation,
  type RevocationOf,
} from '../../cluster/ports/revocation-store.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { ListSync, RETRY_MS } from './list-sync.js';
import { RevocationList } from './revocation-list.js';
import { giverOf, isAbove } from './standing.js';
import { NO_EFFECT, SessionReview, sumOf, type Effect } from './session-review.js';

/** What an order led to, on all nodes that answered. */
export interface Outcome extends Effect {
  /** Nodes (SERVER_ID) that did not say within two seconds that they have carried it out; they find it in the store. */
  readonly missing: readonly string[];
}

/** Those that wait for the store to come back; beyond it new ones are refused. */
const MAX_UNSTORED = 1_000;
/** Told by a node that has put something again: whoever has read the list without it reads it once more. */
const RESTATED = 'revocations-restated';

/** What takes back something that tokens say: held against every token that comes, and every session that is open, on all nodes. */
@Injectable()
export class Revocations implements OnApplicationBootstrap, OnApplicationShutdown {
  // Twice, for what other nodes were given room for must not be refused here.
  private readonly known = new RevocationList(2 * MAX_REVOCATIONS);
  /** Those of this node that the store may not have yet, by name. */
  private readonly unstored = new Map<string, Revocation>();
  private lifts = 0;
  private refused = 0;
  private storeLife: string | undefined;
  private readonly reconciliation = new ListSync(() => this.reconcile());
  private readonly judgeNow = (principal: Principal): Principal | undefined => this.judge(principal);

  constructor(
    private readonly bus: NodeBus,
    private readonly store: RevocationStore,
    private readonly events: ClusterEvents,
    private readonly sessions: SessionReview,
  ) {
    bus.handle('revoke', (payload) => this.hear(heard(payload)));
    bus.handle('lift-revocation', (payload) => this.lifted(heard(payload)));
    bus.handle(RESTATED, () => this.reconciliation.soon());
    events.on('rejoined', () => this.reconciliation.soon());
    if (bus.reachesOthers) this.reconciliation.watch(() => this.hasLost());
  }

  /** Before the server listens, so that no revoked token comes in first. Where Redis is away it serves all the same. */
  async onApplicationBootstrap(): Promise<void> {
    await this.reconciliation.now();
  }

  onApplicationShutdown(): void {
    this.reconciliation.close();
  }

  /** Who a principal counts as at this moment: itself, or with other rights; undefined where its token is revoked. */
  judge(principal: Principal): Principal | undefined {
    return this.known.judge(principal, Date.now());
  }

  get<K extends Revocation['kind']>(kind: K, key: string): RevocationOf<K> | undefined {
    return this.known.get(kind, key);
  }

  /** How many this node knows that are in force. */
  get activeCount(): number {
    return this.known.active(Date.now()).length;
  }

  /** How many orders were refused, for there were too many. */
  get refusedCount(): number {
    return this.refused;
  }

  /**
   * Holds on this node in the turn of the call, and on the others as soon as the store has it. The same kind and key again takes
   * back more, never less.
   *
   * @throws GatehouseError SERVER_BUSY when there are too many, and then it does not hold; or when Redis cannot be reached: it
   *   holds on this node, and everywhere once Redis is back
   */
  async add(order: Revocation): Promise<Outcome> {
    const isNew = this.known.get(order.kind, order.key) === undefined;
    const isFull = isNew && (this.activeCount >= MAX_REVOCATIONS || this.unstored.size >= MAX_UNSTORED);
    if (isFull) throw this.full();
    const here = this.enforce(order);
    const revocation = this.known.get(order.kind, order.key) ?? order;
    await this.keep(revocation);
    const { received, missing } = await this.bus.ask<Effect>('revoke', revocation);
    return { ...sumOf([await here, ...received.values()]), missing };
  }

  /**
   * @param given nodes that know such an order of somebody above the giver keep it
   * @returns whether there was such an order
   * @throws GatehouseError SERVER_BUSY when Redis cannot be reached: then nothing is lifted
   */
  async lift(kind: Revocation['kind'], key: string, given: GivenOrder = {}): Promise<boolean> {
    const lifted: Revocation = { kind, key, until: 0, reason: '', issuedBefore: 0, roles: [], ...readGiver(given) };
    const wasStored = await this.store.lift(kind, key);
    const wasKnown = this.known.get(kind, key) !== undefined;
    this.bus.tell('lift-revocation', lifted);
    await this.lifted(lifted);
    return wasStored || wasKnown;
  }

  /** Those in force: of all nodes, and whatever else this node enforces. While Redis is away, only the latter. */
  async list(): Promise<readonly Revocation[]> {
    const stored = await this.store.list().catch(() => []);
    const names = new Set(stored.map(nameOf));
    return [...stored, ...this.known.active(Date.now()).filter((one) => !names.has(nameOf(one)))];
  }

  /**
   * An order of another node. Where one of here, or a lift, is about the same, each node has heard them in its own order: then
   * the store tells which of them came last.
   */
  private hear(revocation: Revocation): Promise<Effect> {
    const present = this.known.get(revocation.kind, revocation.key);
    const isContested = present !== undefined && JSON.stringify(present) !== JSON.stringify(revocation);
    if (isContested) this.reconciliation.soon();
    else this.reconciliation.heard();
    return this.enforce(revocation);
  }

  private async enforce(revocation: Revocation): Promise<Effect> {
    if (!this.known.put(revocation, Date.now())) {
      this.events.emit('lost', 'revocation', 1);
      return NO_EFFECT;
    }
    const { kind, key } = revocation;
    return kind === 'token' ? this.sessions.ofToken(key, this.judgeNow) : this.sessions.ofUser(key, this.judgeNow);
  }

  private async lifted(revocation: Revocation): Promise<Effect> {
    const present = this.known.get(revocation.kind, revocation.key);
    if (present && isAbove(giverOf(present), giverOf(revocation))) return NO_EFFECT;
    this.reconciliation.lifted();
    return this.forget(revocation);
  }

  /** Open sessions whose rights were changed have those of their tokens again. */
  private async forget({ kind, key }: Pick<Revocation, 'kind' | 'key'>): Promise<Effect> {
    this.lifts += 1;
    this.unstored.delete(nameOf({ kind, key }));
    this.known.lift(kind, key);
    return kind === 'rights' ? this.sessions.ofUser(key, this.judgeNow) : NO_EFFECT;
  }

  private async keep(revocation: Revocation): Promise<void> {
    const name = nameOf(revocation);
    this.unstored.set(name, revocation);
    let hasRoom: boolean;
    try {
      hasRoom = await this.store.put(revocation);
    } catch {
      this.events.emit('lost', 'revocation', 1);
      // Parts of a Redis Cluster may still carry it.
      this.bus.tell('revoke', revocation);
      this.reconciliation.later();
      const message =
        'Redis cannot be reached. The revocation applies on this node now, and on all nodes when Redis is back';
      throw new GatehouseError('SERVER_BUSY', { message, retryAfter: RETRY_MS });
    }
    this.settle(revocation);
    if (hasRoom) return;
    await this.forget(revocation);
    throw this.full();
  }

  /** The store has it, unless there is a later one that it has not. */
  private settle(revocation: Revocation): void {
    const name = nameOf(revocation);
    if (this.unstored.get(name) === revocation) this.unstored.delete(name);
  }

  private full(): GatehouseError {
    this.refused += 1;
    const message = 'Too many revocations are in force. Lift some, or wait until some expire';
    return new GatehouseError('SERVER_BUSY', { message });
  }

  /** Brings the store and this node together after a time in which words may have been missed. */
  private async reconcile(): Promise<void> {
    await this.putUnstored();
    const { lifts } = this;
    const before = this.known.active(Date.now()).filter((revocation) => !this.unstored.has(nameOf(revocation)));
    const life = await this.store.life();
    const stored = await this.store.list();
    // Another server answers by now, or something was lifted while the list was read: nobody knows what it is worth.
    if (life !== (await this.store.life()) || lifts !== this.lifts) return this.reconciliation.soon();
    const isAnother = this.storeLife !== undefined && this.storeLife !== life;
    if (!isAnother) await this.forgetLifted(before, stored);
    await this.adopt(stored);
    if (isAnother) await this.restate();
    this.storeLife = life;
  }

  /** Before the store was read for the first time there is nothing to compare. */
  private async hasLost(): Promise<boolean> {
    return this.storeLife !== undefined && (await this.store.life()) !== this.storeLife;
  }

  /** @param before what this node knew before it read the store: what is not in there was lifted meanwhile */
  private async forgetLifted(before: readonly Revocation[], stored: readonly Revocation[]): Promise<void> {
    const names = new Set(stored.map(nameOf));
    for (const one of before) if (!names.has(nameOf(one))) await this.forget(one);
  }

  private async putUnstored(): Promise<void> {
    for (const revocation of this.unstored.values()) {
      const hasRoom = await this.store.put(revocation);
      this.settle(revocation);
      if (hasRoom) this.bus.tell('revoke', revocation);
      else this.events.emit('lost', 'revocation', 1);
    }
  }

  /** The store may have lost something. What is missing in it was not lifted, or nobody can tell: better one too many. */
  private async restate(): Promise<void> {
    const { taken, refused } = await this.store.restate(this.known.active(Date.now()));
    if (refused > 0) this.events.emit('lost', 'revocation', refused);
    if (taken > 0) this.bus.tell(RESTATED, {});
  }

  /** All at once, and then one look at the sessions. */
  private async adopt(stored: readonly Revocation[]): Promise<void> {
    const now = Date.now();
    const news = stored.filter((one) => JSON.stringify(this.known.get(one.kind, one.key)) !== JSON.stringify(one));
    const lost = news.filter((revocation) => !this.known.put(revocation, now)).length;
    if (lost > 0) this.events.emit('lost', 'revocation', lost);
    if (news.length > 0) await this.sessions.all(this.judgeNow);
  }
}

function heard(payload: unknown): Revocation {
  const revocation = revocationOf(payload);
  if (revocation === undefined) throw new TypeError('Invalid revocation');
  return revocation;
}
