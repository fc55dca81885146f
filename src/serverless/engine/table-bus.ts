import { arrived, type BroadcastDelivery } from '../../broadcast/delivery.js';
import { NodeBus, type Answers } from '../../cluster/ports/node-bus.js';
import { Invocation } from '../invocation.js';

/** Delivers to connections, wherever the table has them. */
export interface DeliveryToMany {
  deliver(delivery: BroadcastDelivery): Promise<number>;
}

/** The name under which the tables answer, in place of other nodes. */
const TABLES = 'tables';

/**
 * The bus of a function: no node hears it, and no session lives longer than its invocation. Messages for sessions go to
 * the connections in the tables. Every other question, such as one for all sessions, gets no answer.
 */
export class TableBus extends NodeBus {
  readonly reachesOthers = true;
  readonly isConnected = true;
  delivery: DeliveryToMany | undefined;

  handle(): void {}

  tell(kind: string, payload: unknown): void {
    if (kind === 'deliver') Invocation.current.track('a broadcast', this.deliver(payload));
  }

  async ask<T>(kind: string, payload: unknown): Promise<Answers<T>> {
    if (kind !== 'deliver') return { received: new Map(), missing: [] };
    const reached = await this.deliver(payload);
    return { received: new Map([[TABLES, reached as T]]), missing: [] };
  }

  private async deliver(payload: unknown): Promise<number> {
    return this.delivery?.deliver(arrived(payload)) ?? 0;
  }
}
