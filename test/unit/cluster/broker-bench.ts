import { expect } from 'vitest';
import type { Broker, ChannelName, Draft, Publication, PublishOptions } from '../../../src/cluster/ports/broker.js';

/** How the suite gets a broker. Two of one test share what they stand on, as two nodes of a cluster do. */
export interface BrokerFactory {
  create(): Promise<Broker>;
  /** Whether several brokers are nodes of one cluster; false: each is alone. */
  readonly isShared: boolean;
}

export interface Arrival {
  readonly channel: string;
  readonly publication: Publication;
  readonly epoch: string;
}

interface Node {
  readonly broker: Broker;
  readonly arrived: Arrival[];
}

export const KEPT: PublishOptions = { history: { size: 100, ageMs: 60_000 }, idempotencyKey: undefined };
export const UNKEPT: PublishOptions = { history: undefined, idempotencyKey: undefined };

export function draft(data: unknown, others: Partial<Draft> = {}): Draft {
  return { data, from: undefined, excludeSession: undefined, expiresAt: undefined, ...others };
}

/** Where one test stands: a broker, a channel of its own, and what has arrived. */
export class BrokerBench {
  broker!: Broker;
  arrived!: Arrival[];
  channel!: ChannelName;
  private readonly nodes: Node[] = [];

  constructor(private readonly factory: BrokerFactory) {}

  async setUp(): Promise<void> {
    this.channel = `test:${Math.random()}` as ChannelName;
    ({ broker: this.broker, arrived: this.arrived } = await this.another());
  }

  async tearDown(): Promise<void> {
    for (const node of this.nodes.splice(0)) await node.broker.close();
  }

  async another(): Promise<Node> {
    const node: Node = { broker: await this.factory.create(), arrived: [] };
    node.broker.listen({
      published: (channel, publication, epoch) => node.arrived.push({ channel, publication, epoch }),
      interrupted: () => {},
    });
    this.nodes.push(node);
    return node;
  }

  async publishAll(...data: unknown[]): Promise<void> {
    for (const item of data) await this.broker.publish(this.channel, draft(item), KEPT);
  }

  async seqs(query = {}): Promise<number[]> {
    return (await this.broker.history(this.channel, query)).publications.map(({ seq }) => seq);
  }

  async arrivals(count: number): Promise<Arrival[]> {
    await expect.poll(() => this.arrived.length).toBe(count);
    return this.arrived;
  }
}
