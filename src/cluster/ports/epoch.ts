import { randomBytes } from 'node:crypto';

/** Creates a name for one epoch of a channel's history. Seqs of different epochs must not be compared. */
export function newEpoch(): string {
  return randomBytes(6).toString('base64url');
}
