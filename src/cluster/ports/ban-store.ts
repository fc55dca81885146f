import { readGiver, type GivenOrder } from './given-order.js';

/** A ban in force. */
export interface Ban extends GivenOrder {
  readonly kind: 'address' | 'user';
  /** The address (IPv6: its /64), or the user id. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Why, for operators. */
  readonly reason: string;
  /** Who made it: an address that broke a limit, or an operator. */
  readonly by: 'breach' | 'operator';
  /** Which one in a row it is, where a breach made it. */
  readonly offences?: number;
}

/** A ban that another has written, or undefined where it is none. One that does not say by whom, as older versions write it, is an operator's. */
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

/** The bans of the whole cluster, so that a node that starts knows them. Bans that have ended are not in it any more. */
export abstract class BanStore {
  /**
   * The same kind and key again replaces the ban, but no breach replaces what an operator made.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract put(ban: Ban): Promise<void>;
  /**
   * Puts what the store may have lost. What it has stays, unless an operator's ban lasts longer. Resolves with how many it took.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract restate(bans: readonly Ban[]): Promise<number>;
  /** Resolves with whether there was one. @throws GatehouseError SERVER_BUSY */
  abstract lift(kind: Ban['kind'], key: string): Promise<boolean>;
  /** @throws GatehouseError SERVER_BUSY */
  abstract list(): Promise<readonly Ban[]>;
  /** Names what it holds. Another name later means that it may have lost some of it, or all. @throws GatehouseError SERVER_BUSY */
  abstract life(): Promise<string>;
}
