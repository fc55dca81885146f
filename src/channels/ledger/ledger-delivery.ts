import type { DeliveryPolicy, Priority } from '../../../config/namespaces.js';
import type { Shedding } from '../../socket/held-frames.js';
import { DeliveryStatus } from './delivery-status.js';
import type { PublicationRecord } from './publication-record.js';

/**
 * A record, and one session that it was sent to. It travels with the frame as its shedding, so the queue can report the
 * outcome of the shared frame for each subscriber.
 */
export class LedgerDelivery extends DeliveryStatus implements Shedding {
  constructor(
    readonly line: PublicationRecord,
    readonly sessionId: string,
    readonly userId: string,
  ) {
    super();
  }

  get policy(): DeliveryPolicy {
    return this.line.policy;
  }

  get key(): string {
    return this.line.channel;
  }

  get expiresAt(): number | undefined {
    return this.line.expiresAt;
  }

  get priority(): Priority | undefined {
    return this.line.priority;
  }

  get receipt(): this {
    return this;
  }
}
