import { randomBytes } from 'node:crypto';

/** A name for one life of a channel's history: seqs of different epochs must not be compared. */
export function newEpoch(): string {
  return randomBytes(6).toString('base64url');
}
