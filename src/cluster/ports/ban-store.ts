import { readGiver, type GivenOrder } from './given-order.js';

/** A ban in force. */
export interface Ban extends GivenOrder {
  readonly kind: 'address' | 'user';
  /** The address (IPv6: its /64), or the user id. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** The reason, for operators. */
  readonly reason: string;
  /** `breach` if the server made it for a broken limit, or `operator`. */
  readonly by: 'breach' | 'operator';
  /** For a breach: which one in a row. */
  readonly offences?: number;
}

/**
 * Reads a ban that another node wrote. Returns undefined if it is malformed. A ban without `by`, as older versions
 * wrote it, counts as an operator's.
 */
export function banOf(written: unknown): Ban | undefined {
  if (typeof written !== 'object' || written === null) return undefined;
  const { kind, key, until, reason, by, offences } = written as Record<string, unknown>;
  if ((kind !== 'address' && kind !== 'user') || typeof key !== 'string') return undefined;
  if (typeof until !== 'number' || typeof reason !== 'string') return undefined;
  if (by !== 'breach' || kind !== 'address') return { kind, key, until, reason, by: 'operator', ...readGiver(written) };
  return { kind, key, until, reason, by, offences: isCount(offences) ? offences : 1 };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** The bans of the whole cluster, for nodes that start. Expired bans are not in it. */
export abstract class BanStore {
  /**
   * Replaces a ban of the same kind and key. A breach never replaces an operator's ban.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract put(ban: Ban): Promise<void>;
  /**
   * Stores bans that the store may have lost. Existing bans stay, unless an operator's ban lasts longer. Resolves with
   * the number of bans that were stored.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract restate(bans: readonly Ban[]): Promise<number>;
  /**
   * Resolves with whether there was such a ban.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract lift(kind: Ban['kind'], key: string): Promise<boolean>;
  /** @throws GatehouseError SERVER_BUSY */
  abstract list(): Promise<readonly Ban[]>;
  /**
   * Identifies the state of the store. A different value later means that bans may have been lost.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract life(): Promise<string>;
}
