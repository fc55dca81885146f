import type { ControlRate } from './control-rate.js';
import { OutboundContext } from './outbound-context.js';
import type { OutboundQueue } from './outbound-queue.js';

/** The parts that all connections of a node share. */
export abstract class ConnectionContext extends OutboundContext {
  abstract readonly controlRate: ControlRate;
  /** OutboundQueue, or the one that gives receipts. */
  abstract readonly Queue: typeof OutboundQueue;
}
