import type { Ban } from '../../cluster/ports/ban-store.js';
import { CLOSES, type CloseName } from '@gatehouse/protocol';

export type { Ban };

/** The reason of a close frame for a breach: what the registry says, or until when the client is banned for it. */
export function reasonWithBan(name: CloseName, ban: Pick<Ban, 'until'> | undefined): string {
  const { reason } = CLOSES[name];
  return ban === undefined ? reason : reason.replace('try again later', `banned until ${untilOf(ban)}`);
}

/** The reason of a close frame for an upgrade that is refused because of an earlier ban. */
export function reasonOfBan(ban: Ban): string {
  return `${ban.kind === 'user' ? 'User' : 'Address'} banned until ${untilOf(ban)}`;
}

/** To the second, and not before the ban has ended. */
export function untilOf({ until }: Pick<Ban, 'until'>): string {
  const seconds = Math.ceil(until / 1_000);
  // An operator may ban for longer than the calendar of JavaScript lasts.
  return new Date(Math.min(seconds * 1_000, 8.64e15)).toISOString().replace('.000Z', 'Z');
}
