import type { Ban, BanStore } from '../../cluster/ports/ban-store.js';
import type { GivenOrder } from '../../cluster/ports/given-order.js';
import type { ListsOverlay } from '../../cluster/ports/lists-overlay.js';
import { nameOf, RecordStore, type ListRecord, type Restated } from '../../cluster/ports/record-store.js';
import type { Revocation, RevocationStore } from '../../cluster/ports/revocation-store.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { CentreOrders } from './centre-orders.js';

/** Adds the orders of the centre to those that were given here. */
export class OrdersOverlay implements ListsOverlay {
  constructor(private readonly centre: CentreOrders) {}

  bans(store: BanStore): BanStore {
    const isOfCentre = (kind: Ban['kind'], key: string): boolean => this.centre.has({ list: 'bans', kind, key });
    return new WithCentre<Ban>(store, isOfCentre, (own) => longestOf([...own, ...this.centre.of('bans')]));
  }

  /** Two orders about one user are both in force: the list of this node merges them. */
  revocations(store: RevocationStore): RevocationStore {
    const isOfCentre = (kind: Revocation['kind'], key: string): boolean =>
      this.centre.has({ list: 'revocations', kind, key });
    return new WithCentre<Revocation>(store, isOfCentre, (own) => [...own, ...this.centre.of('revocations')]);
  }
}

class WithCentre<R extends ListRecord> extends RecordStore<R> {
  constructor(
    private readonly own: RecordStore<R>,
    private readonly isOfCentre: (kind: R['kind'], key: string) => boolean,
    private readonly withCentre: (own: readonly R[]) => readonly R[],
  ) {
    super();
  }

  put(record: R): Promise<boolean | R> {
    return this.own.put(record);
  }

  restate(records: readonly R[]): Promise<Restated> {
    return this.own.restate(records);
  }

  async lift(kind: R['kind'], key: string, given?: GivenOrder): Promise<boolean | R> {
    const wasThere = await this.own.lift(kind, key, given);
    if (!this.isOfCentre(kind, key)) return wasThere;
    throw new GatehouseError('FORBIDDEN', { message: 'The centre has given this order: lift it there' });
  }

  async list(): Promise<readonly R[]> {
    return this.withCentre(await this.own.list());
  }

  life(): Promise<string> {
    return this.own.life();
  }
}

/** Of two bans with one name, the one that lasts longer. An operator's prevails over an automatic one. */
function longestOf(bans: readonly Ban[]): readonly Ban[] {
  const longest = new Map<string, Ban>();
  for (const ban of bans) {
    const other = longest.get(nameOf(ban));
    const prevails = other === undefined || other.by === 'breach' || (ban.by === 'operator' && ban.until > other.until);
    if (prevails) longest.set(nameOf(ban), ban);
  }
  return [...longest.values()];
}
