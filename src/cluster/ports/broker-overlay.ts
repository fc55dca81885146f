import type { Broker } from './broker.js';

/** A port: serves some channels in place of the engine. May be absent. */
export abstract class BrokerOverlay {
  /** Returns the broker that the node uses: other channels stay with the broker of the engine. */
  abstract over(broker: Broker): Broker;
}
