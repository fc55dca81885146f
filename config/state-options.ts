import { areaOptions, type AreaOptions } from './area-options.js';
import { count, durationMs, fieldsOf, readOptions, word, type Reader } from './yaml-options.js';

/** Whose the keys are that a client sets: they can be changed by nobody else, and go when the owner has left. */
export type OwnKey = 'session' | 'user' | 'none';

/** The state of a namespace: each channel is a map of values that all subscribers see. */
export interface StateOptions {
  /** Keys of one channel. */
  readonly maxKeys: number;
  /** Approximate bytes of one value. */
  readonly valueBytes: number;
  /** Milliseconds after which a key goes that nobody has set again. 0: never. */
  readonly ttlMs: number;
  /** Milliseconds in which changes are collected. They leave as one publication. */
  readonly tickMs: number;
  readonly ownKey: OwnKey;
  /** Field at the top of a value → the decimals that its numbers are rounded to. */
  readonly round: ReadonlyMap<string, number>;
  /** Clients look at parts of the channel. Undefined: each subscriber gets all of it. */
  readonly area: AreaOptions | undefined;
}

const MAX_KEYS = 1_000_000;
const MAX_VALUE_BYTES = 1_048_576;
const MAX_TICK_MS = 60_000;
const MAX_DECIMALS = 15;
const DAY_MS = 86_400_000;

const OPTIONS = {
  max_keys: { key: 'maxKeys', read: within(1, MAX_KEYS), absent: 10_000 },
  value_bytes: { key: 'valueBytes', read: within(1, MAX_VALUE_BYTES), absent: 16_384 },
  ttl: { key: 'ttlMs', read: ttl, absent: DAY_MS },
  tick: { key: 'tickMs', read: tick, absent: 50 },
  own_key: { key: 'ownKey', read: word(['session', 'user', 'none']), absent: 'none' },
  round: { key: 'round', read: decimals, absent: new Map<string, number>() },
  area: { key: 'area', read: areaOptions, absent: undefined },
} as const;

/** Reads `state: { max_keys, value_bytes, ttl, tick, own_key, round, area }`. `true` takes the default of each. */
export function stateOptions(value: unknown): StateOptions | undefined {
  if (typeof value === 'boolean') return value ? stateOptions({}) : undefined;
  const faults: string[] = [];
  const given = fieldsOf(value, 'it', faults);
  const options = readOptions(OPTIONS, given, 'it', faults);
  if (faults.length > 0) throw new Error(`has a fault: ${faults.join('; ').replaceAll('it.', '')}`);
  return Object.freeze(options) as unknown as StateOptions;
}

function within(least: number, most: number): Reader<number> {
  return (value) => {
    const number = count(value);
    if (number < least || number > most) throw new Error(`must be a whole number from ${least} to ${most}`);
    return number;
  };
}

function ttl(value: unknown): number {
  if (value === 'never') return 0;
  const ms = durationMs(value);
  if (!Number.isSafeInteger(ms) || ms < 1) throw new Error('must be a duration such as 90s, or never');
  return ms;
}

function tick(value: unknown): number {
  const ms = durationMs(value);
  if (!Number.isSafeInteger(ms) || ms < 1 || ms > MAX_TICK_MS) {
    throw new Error('must be a duration such as 50ms, at most 60s');
  }
  return ms;
}

function decimals(value: unknown): ReadonlyMap<string, number> {
  const faults: string[] = [];
  const entries = Object.entries(fieldsOf(value, 'it', faults));
  const read = within(0, MAX_DECIMALS);
  if (faults.length > 0) throw new Error('must be a map of fields to decimals, such as { lat: 5 }');
  return new Map(entries.map(([field, digits]) => [field, read(digits)]));
}
