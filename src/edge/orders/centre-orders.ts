import type { Ban } from '../../cluster/ports/ban-store.js';
import type { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import type { Revocation } from '../../cluster/ports/revocation-store.js';
import type { EdgeEvents } from '../edge-events.js';
import { orderNameOf, ORDERS_CHANGED, type LiftedOrder } from '../edge-protocol.js';
import { isOfTheLink, type UpstreamError, type UpstreamPush } from '../link/client-library.js';
import type { Upstream, UpstreamListener } from '../link/upstream.js';
import { nameOf, orderIn, type KnownOrder } from './known-order.js';
import type { OrdersStore } from './orders-store.js';

interface OrdersParts {
  readonly upstream: Upstream;
  readonly store: OrdersStore;
  readonly events: EdgeEvents;
  readonly cluster: ClusterEvents;
}

const ANSWER_MS = 15_000;
const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** The centre holds fewer. */
const MAX_ORDERS = 400_000;

/**
 * The bans and revocations of the centre. They are read completely with each new connection, and changes are told after
 * that. On the disk for a start without the centre.
 */
export class CentreOrders implements UpstreamListener {
  private orders: Map<string, KnownOrder>;
  /** Pages of an older connection count no more. */
  private round = 0;
  /** Changes that were told while pages are read. Undefined: they apply at once. */
  private held: unknown[] | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;

  constructor(private readonly parts: OrdersParts) {
    this.orders = new Map(parts.store.loaded);
    parts.upstream.listen(this);
  }

  of(list: 'bans'): readonly Ban[];
  of(list: 'revocations'): readonly Revocation[];
  of(list: KnownOrder['list']): readonly (Ban | Revocation)[] {
    const now = Date.now();
    return [...this.orders.values()].flatMap((order) =>
      order.list === list && order.record.until > now ? [order.record] : [],
    );
  }

  has(order: LiftedOrder): boolean {
    return (this.orders.get(orderNameOf(order))?.record.until ?? 0) > Date.now();
  }

  greeted(): void {
    this.failures = 0;
    void this.readAll();
  }

  linkLost(): void {
    this.round += 1;
    this.held = undefined;
    clearTimeout(this.timer);
  }

  /** What could not be read may have been about orders. */
  distrust(): void {
    if (this.parts.upstream.isUp) void this.readAll();
  }

  pushed({ type, data }: UpstreamPush): void {
    if (type !== ORDERS_CHANGED) return;
    if (this.held === undefined) this.change(data);
    else this.held.push(data);
  }

  close(): Promise<void> {
    this.linkLost();
    return this.parts.store.close();
  }

  private async readAll(): Promise<void> {
    this.linkLost();
    const { round } = this;
    const held: unknown[] = [];
    this.held = held;
    try {
      const read = await this.pages(() => round === this.round);
      if (round !== this.round) return;
      this.held = undefined;
      this.failures = 0;
      this.become(read);
      for (const data of held) this.change(data);
    } catch (error) {
      if (round === this.round) this.failed(error as UpstreamError);
    }
  }

  private async pages(isCurrent: () => boolean): Promise<Map<string, KnownOrder>> {
    const read = new Map<string, KnownOrder>();
    for (let from: number | undefined = 0; from !== undefined && isCurrent();) {
      const options = { timeoutMs: ANSWER_MS, retry: false };
      const page = (await this.parts.upstream.request('edge.orders', { from }, options)) as {
        readonly orders: readonly unknown[];
        readonly next?: number;
      };
      this.addAll(read, page.orders);
      from = page.next;
    }
    return read;
  }

  /** A centre of an older release has no orders to tell. */
  private failed({ code }: UpstreamError): void {
    this.held = undefined;
    if (code === 'UNKNOWN_MESSAGE_TYPE') return;
    const ms = isOfTheLink(code) ? MIN_PAUSE_MS : Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.parts.upstream.isUp && void this.readAll(), ms).unref();
  }

  private change(data: unknown): void {
    const { orders = [], lifted = [] } = (data ?? {}) as {
      readonly orders?: readonly unknown[];
      readonly lifted?: readonly LiftedOrder[];
    };
    const changed = new Map(this.orders);
    for (const order of lifted) changed.delete(orderNameOf(order));
    this.addAll(changed, orders);
    this.become(changed);
  }

  private addAll(into: Map<string, KnownOrder>, given: readonly unknown[]): void {
    for (const each of given) {
      const order = orderIn(each);
      if (order === undefined || into.size >= MAX_ORDERS) this.parts.events.emit('order_unreadable');
      else into.set(nameOf(order), this.knownAs(order));
    }
  }

  /** The same object if nothing changed, so that the disk is spared. */
  private knownAs(order: KnownOrder): KnownOrder {
    const known = this.orders.get(nameOf(order));
    return JSON.stringify(known) === JSON.stringify(order) && known !== undefined ? known : order;
  }

  /** The lists of this node read their stores again. */
  private become(orders: Map<string, KnownOrder>): void {
    this.orders = orders;
    this.parts.store.changed(orders);
    this.parts.cluster.emit('rejoined');
  }
}
