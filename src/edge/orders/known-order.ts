import { BANS, type Ban } from '../../cluster/ports/ban-store.js';
import { REVOCATIONS, type Revocation } from '../../cluster/ports/revocation-store.js';
import { orderNameOf } from '../edge-protocol.js';

/** An order of the centre, read. */
export type KnownOrder =
  | { readonly list: 'bans'; readonly record: Ban }
  | { readonly list: 'revocations'; readonly record: Revocation };

/** @returns undefined if this release does not know such an order */
export function orderIn(given: unknown): KnownOrder | undefined {
  const { list, record } = (given ?? {}) as { readonly list?: unknown; readonly record?: unknown };
  if (list === 'bans') {
    const ban = BANS.read(record);
    return ban && { list, record: ban };
  }
  const revocation = list === 'revocations' ? REVOCATIONS.read(record) : undefined;
  return revocation && { list: 'revocations', record: revocation };
}

export function nameOf({ list, record: { kind, key } }: KnownOrder): string {
  return orderNameOf({ list, kind, key });
}
