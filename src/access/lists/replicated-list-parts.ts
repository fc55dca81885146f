import type { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import type { NodeBus } from '../../cluster/ports/node-bus.js';
import type { ListRecord, Named, RecordStore, RecordType } from '../../cluster/ports/record-store.js';

/** The names of a list: of its bus messages, and of its losses in the metrics. */
export interface ListNames {
  readonly order: 'ban' | 'revoke';
  readonly lift: 'lift-ban' | 'lift-revocation';
  /** Sent by a node that has stored records again: the others read the list again. */
  readonly restated: 'bans-restated' | 'revocations-restated';
  readonly loss: 'ban' | 'revocation';
}

/** The records that this node enforces. */
export interface KnownRecords<R extends ListRecord> {
  get(kind: R['kind'], key: string): R | undefined;
  active(now: number): readonly R[];
  lift(kind: R['kind'], key: string): boolean;
}

/** What a list does with its records on this node. */
export interface ListEffects<R extends ListRecord> {
  /** Applies a record of another node. The result is the answer to that node. */
  enforce(record: R): unknown;
  /**
   * Applies the records of the store.
   *
   * @param mayBeOlder the store may have lost something; records that prevail over the stored ones are stored again
   */
  adopt(stored: readonly R[], mayBeOlder: boolean): unknown;
  /** A record no longer applies: it was lifted, or is missing in the store. */
  released(record: Named<R>, why: 'lifted' | 'missing'): unknown;
}

export interface ReplicatedListParts<R extends ListRecord> {
  readonly type: RecordType<R>;
  readonly names: ListNames;
  readonly bus: NodeBus;
  readonly store: RecordStore<R>;
  readonly events: ClusterEvents;
  readonly known: KnownRecords<R>;
  readonly effects: ListEffects<R>;
}
