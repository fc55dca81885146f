import { readGiver, type GivenOrder } from './given-order.js';
import { RecordStore, type RecordType } from './record-store.js';

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

/** An attacker with endless addresses must not fill the memory, nor drive out what operators have banned. */
export const BANS: RecordType<Ban> = {
  list: 'bans',
  max: 100_000,
  whenFull: 'drop',
  restated: 'longer',
  isYielding: ({ by }) => by === 'breach',
  read: banOf,
};

export abstract class BanStore extends RecordStore<Ban> {}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
