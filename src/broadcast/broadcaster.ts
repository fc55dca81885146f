import { Injectable, Optional } from '@nestjs/common';
import { NodeBus, sumOf } from '../cluster/ports/node-bus.js';
import { NodeRegistry } from '../cluster/ports/node-registry.js';
import { SharedCounts } from '../cluster/ports/shared-counts.js';
import type { ContractShape } from '../protocol/declared-contract.js';
import { sendable } from '../protocol/codecs/sendable.js';
import { Traces } from '../protocol/traces.js';
import { Audience, type Carrier } from './audience.js';
import { arrived, deliverHere, destinationOf, travelling, type BroadcastDelivery } from './delivery.js';
import { LocalReceivers } from './local-receivers.js';
import type { Target } from './target.js';

const KIND = 'deliver';
const KIND_BEYOND = 'deliver-beyond';

/** For nodes other than those that were asked. */
interface Beyond {
  readonly delivery: unknown;
  readonly asked: readonly string[];
}

/**
 * Sends to many, on whatever node they are: `broadcaster.toUser('alice').emit('order.shipped', { id })`.
 * A message is encoded once per codec and node, however many receive it. `Broadcaster<Contract>` sends only what the contract
 * declares.
 */
@Injectable()
export class Broadcaster<C extends ContractShape = ContractShape> implements Carrier {
  constructor(
    private readonly bus: NodeBus,
    private readonly counts: SharedCounts,
    private readonly registry: NodeRegistry,
    private readonly receivers: LocalReceivers,
    @Optional() private readonly traces?: Traces,
  ) {
    bus.handle(KIND, (payload) => this.deliverHere(arrived(payload)));
    bus.handle(KIND_BEYOND, (payload) => this.deliverBeyond(payload as Beyond));
  }

  /** Every open session. */
  toEveryone(): Audience<C> {
    return this.to({ to: 'everyone' });
  }

  /** Every session of a signed-in user. */
  toUser(userId: string): Audience<C> {
    return this.to({ to: 'user', name: userId });
  }

  /** One session, if it is still open. */
  toSession(sessionId: string): Audience<C> {
    return this.to({ to: 'session', name: sessionId });
  }

  /** Every session that has the role. */
  toRole(role: string): Audience<C> {
    return this.to({ to: 'role', name: role });
  }

  /**
   * Every session that is subscribed to a channel. The message is not kept in the history. Use it for events that
   * matter only to current subscribers, such as typing. `Channels.publish` is for messages that must not be missed.
   *
   * @throws UnknownNamespace if the name is not valid
   */
  toChannel(name: string): Audience<C> {
    return this.to(this.receivers.channelTarget(name));
  }

  /** @internal For Audience. */
  emit(delivery: BroadcastDelivery): number {
    return this.traced(delivery, (ready) => {
      const taken = this.deliverHere(ready);
      if (!this.isComplete(ready)) this.bus.tell(KIND, travelling(ready));
      return taken;
    });
  }

  /** @internal For Audience. */
  async deliver(delivery: BroadcastDelivery): Promise<number> {
    return this.traced(delivery, (ready) => this.deliverEverywhere(ready));
  }

  private async deliverEverywhere(ready: BroadcastDelivery): Promise<number> {
    const taken = this.deliverHere(ready);
    if (this.isComplete(ready)) return taken;
    const nodes = await this.nodesOf(ready.target);
    // Clients that were accepted without Redis may not be counted yet, so the other nodes get the message as well,
    // without being waited for.
    if (nodes) this.bus.tell(KIND_BEYOND, { delivery: travelling(ready), asked: nodes });
    return taken + sumOf(await this.bus.ask<number>(KIND, travelling(ready), nodes && { nodes }));
  }

  private to(target: Target): Audience<C> {
    return new Audience({ target, carrier: this });
  }

  /** Makes the data ready for other nodes first: data that cannot be encoded is sent to nobody. */
  private readied(delivery: BroadcastDelivery): BroadcastDelivery {
    return this.bus.reachesOthers ? { ...delivery, data: sendable(delivery.data) } : delivery;
  }

  private traced<T>(delivery: BroadcastDelivery, send: (ready: BroadcastDelivery) => T): T {
    const { traces } = this;
    const ready = this.readied(delivery);
    if (traces === undefined) return send(ready);
    return traces.publish(destinationOf(ready.target), (trace) => send({ ...ready, trace }));
  }

  private deliverBeyond({ delivery, asked }: Beyond): void {
    if (!asked.includes(this.registry.self.nodeId)) this.deliverHere(arrived(delivery));
  }

  private deliverHere(delivery: BroadcastDelivery): number {
    return deliverHere(this.receivers, delivery, this.traces);
  }

  /** Whether no receiver can be on another node. */
  private isComplete({ target }: BroadcastDelivery): boolean {
    return !this.bus.reachesOthers || (target.to === 'session' && this.receivers.has(target.name));
  }

  /** The nodes on which the target can be; undefined: all. */
  private async nodesOf(target: Target): Promise<readonly string[] | undefined> {
    if (target.to !== 'user') return undefined;
    try {
      return [...(await this.counts.byNode('user', target.name)).keys()];
    } catch {
      return undefined;
    }
  }
}
