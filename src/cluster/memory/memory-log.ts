import type { ChannelName, Position, Publication, PublishOptions } from '../ports/broker.js';
import type { Swept } from './sweeps.js';

export type Limits = NonNullable<PublishOptions['history']>;

/** The history of a channel, and its position. */
export interface Log extends Swept {
  readonly channel: ChannelName;
  readonly epoch: string;
  seq: number;
  /** Consecutive and ascending. May hold more than the limits allow until it is trimmed. */
  readonly publications: Publication[];
  limits: Limits;
  /** When it was last published in. Undefined: never. */
  publishedAt: number | undefined;
}

/** One for all: most channels have no publications. */
const NOTHING: Limits = { size: 0, ageMs: 0 };

export function emptyLog(channel: ChannelName, epoch: string): Log {
  return { channel, epoch, seq: 0, publications: [], limits: NOTHING, publishedAt: undefined, sweepNumber: undefined };
}

export function positionOf({ epoch, seq }: Pick<Log, 'epoch' | 'seq'>): Position {
  return { epoch, seq };
}

/** Returns the number of bytes that were added. */
export function append(log: Log, publication: Publication, limits: Limits): number {
  log.seq = publication.seq;
  log.limits = limits;
  log.publishedAt = publication.ts;
  log.publications.push(publication);
  // Trimmed in steps: removing one from the front at each publish would move the whole array each time.
  const trimmed = log.publications.length >= limits.size * 2 ? trim(log, publication.ts) : 0;
  return publication.bytes - trimmed;
}

/** Keeps the newest `size` publications that are not older than `ageMs`. Returns the bytes that were removed. */
export function trim(log: Log, now: number): number {
  const { publications, limits } = log;
  let excess = Math.max(0, publications.length - limits.size);
  while ((publications[excess]?.ts ?? now) < now - limits.ageMs) excess += 1;
  return drop(log, excess);
}

/** Removes the oldest publications. Returns their bytes. */
export function drop({ publications }: Log, count: number): number {
  if (count === 0) return 0;
  return publications.splice(0, count).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** How many of the requested publications fit. At least one, if any was requested. */
export function countThatFits(
  at: (index: number) => Publication | undefined,
  { limit, maxBytes }: { readonly limit: number; readonly maxBytes: number },
): number {
  let count = 0;
  for (let bytes = 0; count < limit; count += 1) {
    bytes += at(count)?.bytes ?? 0;
    if (count > 0 && bytes > maxBytes) break;
  }
  return count;
}
