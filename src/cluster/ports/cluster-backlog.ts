import type { Broker } from './broker.js';
import { BrokerNodeBus } from '../bus/broker-node-bus.js';
import type { NodeBus } from './node-bus.js';
import { RedisBroker } from '../redis/broker/redis-broker.js';
import type { RedisLink } from '../redis/connection/redis-link.js';

/** What waits for Redis and for other nodes. */
export class ClusterBacklog {
  constructor(
    private readonly broker: Broker,
    private readonly bus: NodeBus,
    private readonly link: RedisLink | undefined,
  ) {}

  /** Undefined where this node is the only one. */
  read(): Record<string, number> | undefined {
    if (this.link === undefined) return undefined;
    return {
      commands: this.link.commandsUnderWay,
      ...(this.broker instanceof RedisBroker && this.broker.backlog),
      ...(this.bus instanceof BrokerNodeBus && this.bus.backlog),
    };
  }
}
