import { giverOf, isAbove, type GivenOrder } from './given-order.js';

/** An entry of a list that all nodes keep, until its time is over. */
export interface ListRecord extends GivenOrder {
  readonly kind: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** The reason, for operators. */
  readonly reason: string;
}

export type Named<R extends ListRecord = ListRecord> = Pick<R, 'kind' | 'key'>;

/** What a list holds, and which record prevails where there are two, or too many. */
export interface RecordType<R extends ListRecord> {
  readonly list: 'bans' | 'revocations';
  readonly max: number;
  /** What becomes of a new record in a full list: it is refused, or the record that ends soonest is dropped for it. */
  readonly whenFull: 'refuse' | 'drop';
  /** Which restated record replaces the one that the store holds: one that differs, or one that lasts longer. */
  readonly restated: 'different' | 'longer';
  /** Whether a record gives way to all others: it replaces none of them, and is dropped first from a full list. */
  readonly isYielding: (record: R) => boolean;
  /** Reads a record that another node has written. Returns undefined if it is malformed. */
  readonly read: (written: unknown) => R | undefined;
}

/** The result of `restate`. Records that the store had unchanged count as neither. */
export interface Restated {
  readonly taken: number;
  /** There was no room for these. */
  readonly refused: number;
}

export function nameOf({ kind, key }: Named): string {
  return `${kind}:${key}`;
}

/** Whether someone above the giver gave the record, so that it stays. A yielding record gives way to all. */
export function isOutOfReach<R extends ListRecord>(type: RecordType<R>, record: R, given: GivenOrder): boolean {
  return !type.isYielding(record) && isAbove(giverOf(record), giverOf(given));
}

/**
 * The records of the whole cluster, for nodes that start. Expired records are not in it. All implementations pass
 * test/unit/cluster/record-store-contract.
 */
export abstract class RecordStore<R extends ListRecord> {
  /**
   * Stores a record. It replaces one of the same kind and key, but a yielding record replaces only a yielding one.
   *
   * @returns nothing is stored if the list is full and refuses it (false), or if someone above its giver gave the stored
   *   record (which is returned)
   * @throws GatehouseError SERVER_BUSY
   */
  abstract put(record: R): Promise<boolean | R>;
  /**
   * Stores records that the store may have lost, or holds in an older state. Of two givers, the record of the higher one
   * prevails.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract restate(records: readonly R[]): Promise<Restated>;
  /**
   * Removes a record.
   *
   * @param given who acts
   * @returns whether there was such a record; or the record itself, if someone above gave it: then it stays
   * @throws GatehouseError SERVER_BUSY
   */
  abstract lift(kind: R['kind'], key: string, given?: GivenOrder): Promise<boolean | R>;
  /** @throws GatehouseError SERVER_BUSY */
  abstract list(): Promise<readonly R[]>;
  /**
   * Identifies the state of the store. A different value later means that records may have been lost.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract life(): Promise<string>;
}
