import type { Ban } from '../../cluster/ports/ban-store.js';
import { CLOSES, type CloseName } from '@gatehouse/protocol';

export type { Ban };

/** The close reason for a breach: the text of the registry, or until when the client is banned. */
export function reasonWithBan(name: CloseName, ban: Pick<Ban, 'until'> | undefined): string {
  const { reason } = CLOSES[name];
  return ban === undefined ? reason : reason.replace('try again later', `banned until ${untilOf(ban)}`);
}

/** The close reason for an upgrade that is refused because of an earlier ban. */
export function reasonOfBan(ban: Ban): string {
  return `${ban.kind === 'user' ? 'User' : 'Address'} banned until ${untilOf(ban)}`;
}

/** In seconds, rounded up, so that it is not before the end of the ban. */
export function untilOf({ until }: Pick<Ban, 'until'>): string {
  const seconds = Math.ceil(until / 1_000);
  // An operator may ban beyond the last date of JavaScript.
  return new Date(Math.min(seconds * 1_000, 8.64e15)).toISOString().replace('.000Z', 'Z');
}
