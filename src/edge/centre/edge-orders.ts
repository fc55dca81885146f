import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Bans } from '../../access/lists/bans.js';
import { Revocations } from '../../access/lists/revocations.js';
import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { SessionEvents } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import {
  MAX_ORDERS_AT_ONCE,
  MAX_ORDERS_BYTES,
  orderNameOf,
  ORDERS_CHANGED,
  type CentreOrder,
  type LiftedOrder,
} from '../edge-protocol.js';

export interface OrdersPage {
  readonly orders: readonly CentreOrder[];
  /** Where the next page begins; undefined: this is the last one. */
  readonly next: number | undefined;
}

/** How often the lists are compared with what edges were told. */
export const LOOK_MS = 1_000;

/** Tells edges which bans and revocations operators have ordered here. Automatic bans stay here. */
@Injectable()
export class EdgeOrders implements OnApplicationShutdown {
  /** The edges that have asked, each with the orders that it reads page by page. */
  private readonly readers = new Map<Session, readonly CentreOrder[]>();
  /** What the edges were told, by name. */
  private told = new Map<string, CentreOrder>();
  private changesTold = -1;
  private readonly timer = setInterval(() => this.look(), LOOK_MS).unref();

  constructor(
    private readonly bans: Bans,
    private readonly revocations: Revocations,
    events: SessionEvents,
  ) {
    events.on('closed', (session) => this.readers.delete(session));
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /**
   * The orders from a place on. From 0, they are read anew, and later changes are told.
   *
   * @throws GatehouseError VALIDATION_FAILED if the page before was not read
   */
  page(session: Session, from: number): OrdersPage {
    if (from === 0) this.begin(session);
    const all = this.readers.get(session) ?? [];
    if (from > 0 && from >= all.length) throw new GatehouseError('VALIDATION_FAILED');
    const orders = fitting(all.slice(from, from + MAX_ORDERS_AT_ONCE));
    const next = from + orders.length;
    if (next < all.length) return { orders, next };
    // It is not needed any more, and may be long.
    this.readers.set(session, []);
    return { orders, next: undefined };
  }

  private begin(session: Session): void {
    // Nobody was told anything, so that there is nothing to compare with.
    if (this.readers.size === 0) this.told = this.current();
    this.readers.set(session, [...this.current().values()]);
  }

  private look(): void {
    const changes = this.bans.changes + this.revocations.changes;
    if (this.readers.size === 0 || changes === this.changesTold) return;
    this.changesTold = changes;
    const current = this.current();
    const orders = [...current].flatMap(([name, order]) => (this.told.get(name)?.record === order.record ? [] : order));
    const lifted = [...this.told].flatMap(([name, { list, record }]) =>
      current.has(name) ? [] : { list, kind: record.kind, key: record.key },
    );
    this.told = current;
    for (let rest = orders; rest.length > 0;) {
      const some = fitting(rest.slice(0, MAX_ORDERS_AT_ONCE));
      rest = rest.slice(some.length);
      this.tell({ orders: some, lifted: [] });
    }
    for (let at = 0; at < lifted.length; at += MAX_ORDERS_AT_ONCE) {
      this.tell({ orders: [], lifted: lifted.slice(at, at + MAX_ORDERS_AT_ONCE) });
    }
  }

  private tell(data: { readonly orders: readonly CentreOrder[]; readonly lifted: readonly LiftedOrder[] }): void {
    for (const session of this.readers.keys()) session.send({ type: ORDERS_CHANGED, data });
  }

  private current(): Map<string, CentreOrder> {
    const bans = this.bans.ordered().map((record): CentreOrder => ({ list: 'bans', record }));
    const revocations = this.revocations.active().map((record): CentreOrder => ({ list: 'revocations', record }));
    return new Map([...bans, ...revocations].map((order) => [nameOf(order), order]));
  }
}

function nameOf({ list, record: { kind, key } }: CentreOrder): string {
  return orderNameOf({ list, kind, key });
}

/** As many as fit into one message, and at least one. */
function fitting(orders: readonly CentreOrder[]): readonly CentreOrder[] {
  let bytes = 0;
  const end = orders.findIndex((order, index) => {
    bytes += approximateBytes(order.record);
    return index > 0 && bytes > MAX_ORDERS_BYTES;
  });
  return end === -1 ? orders : orders.slice(0, end);
}
