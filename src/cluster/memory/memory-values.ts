import { approximateBytes } from '../ports/approximate-bytes.js';
import type { ChannelName, PublishOptions } from '../ports/broker.js';
import type { StateChange, StateCommit, StateEntry, StateOutcome } from '../ports/state-store.js';
import { MemoryCells } from './memory-cells.js';
import type { Swept } from './sweeps.js';

/** Bytes of a key beside its name and value. */
const ROOM_OF_KEY = 250;

/** The value of a key. */
export interface Held {
  readonly value: unknown;
  readonly version: number;
  readonly owner: string | undefined;
  readonly expiresAt: number;
  readonly bytes: number;
  readonly cell: string | undefined;
}

/** The state of a channel. */
export interface Values extends Swept {
  readonly channel: ChannelName;
  /** The key that was set longest ago is first: all live equally long. */
  readonly byKey: Map<string, Held>;
  readonly cells: MemoryCells;
  history: NonNullable<PublishOptions['history']>;
}

export function emptyValues(channel: ChannelName, history: Values['history']): Values {
  return { channel, byKey: new Map(), cells: new MemoryCells(), history, sweepNumber: undefined };
}

/** When the key that was set longest ago has reached its end. Infinity: none has one. */
export function endOfOldest({ byKey }: Values): number {
  for (const { expiresAt } of byKey.values()) return expiresAt;
  return Infinity;
}

/** At most `limit` keys whose time is over. */
export function expiredIn({ byKey }: Values, now: number, limit = Infinity): readonly string[] {
  const keys: string[] = [];
  for (const [key, { expiresAt }] of byKey) {
    if (expiresAt > now || keys.length >= limit) break;
    keys.push(key);
  }
  return keys;
}

/** How many bytes more a change needs. */
export function growthOf({ key, what, value }: StateChange, held: Held | undefined): number {
  if (what === 'set') return bytesOf(key, value) - (held?.bytes ?? 0);
  return what === 'remove' ? -(held?.bytes ?? 0) : 0;
}

/** Set if other changes came before, and the keys they touched. */
export function staleOf(
  { changes, epoch }: StateCommit,
  { values: { byKey }, epoch: current, now }: { readonly values: Values; readonly epoch: string; readonly now: number },
): StateOutcome | undefined {
  const isOther = epoch !== undefined && epoch !== current;
  const isAt = ({ key, what, expected }: StateChange): boolean => {
    const held = byKey.get(key);
    if (isOther || (held?.version ?? 0) !== expected) return false;
    return what !== 'expire' || (held !== undefined && held.expiresAt <= now);
  };
  const keys = changes.filter((change) => !isAt(change)).map(({ key }) => key);
  if (keys.length === 0) return undefined;
  const entries = keys.flatMap((key) => {
    const held = byKey.get(key);
    return held ? [entryOf(key, held, now)] : [];
  });
  return { is: 'stale', epoch: current, entries, absent: keys.filter((key) => !byKey.has(key)) };
}

export function entryOf(key: string, { value, version, owner, expiresAt }: Held, now: number): StateEntry {
  return { key, value, version, owner, hasExpired: expiresAt <= now };
}

export function bytesOf(key: string, value: unknown): number {
  return ROOM_OF_KEY + key.length + approximateBytes(value);
}
