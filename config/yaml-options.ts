import { parse } from 'yaml';

/** Reads one option of a configuration file. Throws an error whose message follows the name of the option: `must be …`. */
export type Reader<T> = (value: unknown) => T;

const DURATION = /^(\d+)(ms|s|m|h|d)$/;
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Returns the fields at the top of a YAML file. If the text is not YAML, or not a map, adds to the faults and returns none. */
export function readYaml(text: string, faults: string[]): Record<string, unknown> {
  try {
    return fieldsOf(parse(text) ?? {}, 'the file', faults);
  } catch (error) {
    faults.push(`is not valid YAML: ${(error as Error).message.split('\n')[0] ?? ''}`);
    return {};
  }
}

/** Returns the fields of a map. If the value is not a map, adds to the faults and returns none. */
export function fieldsOf(value: unknown, name: string, faults: string[]): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  faults.push(`${name} must be a map`);
  return {};
}

/** One option of a map: the key of its value, how it is read, and what counts where it is absent. */
export interface Option {
  readonly key: string;
  readonly read: Reader<unknown>;
  readonly absent: unknown;
}

/** As `absent`: the option must be there. */
export const REQUIRED = Symbol('required');

/**
 * Reads the options of a map.
 *
 * @param at where the map is, for faults: `namespaces.room`
 * @param faults gets a sentence for each option that is unknown, missing or cannot be read
 * @returns the values by their keys
 */
export function readOptions(
  options: Readonly<Record<string, Option>>,
  given: Readonly<Record<string, unknown>>,
  at: string,
  faults: string[],
): Record<string, unknown> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(options, name)) faults.push(`${at}.${name} is not known`);
  }
  const values: Record<string, unknown> = {};
  for (const [name, { key, read, absent }] of Object.entries(options)) {
    values[key] = absent === REQUIRED ? undefined : absent;
    const value = given[name];
    if (value === undefined || value === null) {
      if (absent === REQUIRED) faults.push(`${at}.${name} must be set`);
      continue;
    }
    try {
      values[key] = read(value);
    } catch (error) {
      faults.push(`${at}.${name} ${(error as Error).message}`);
    }
  }
  return values;
}

export function word<const Word extends string>(words: readonly Word[]): Reader<Word> {
  return (value) => {
    const known = words.find((candidate) => candidate === value);
    if (known === undefined) throw new Error(`must be one of ${words.join(', ')}`);
    return known;
  };
}

export function boolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Error('must be true or false');
  return value;
}

export function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error('must be a whole number, 0 or more');
  return value as number;
}

/** Returns milliseconds; NaN if the value is not a duration such as 250ms, 90s, 10m, 24h. */
export function durationMs(value: unknown): number {
  const [, amount, unit] = (typeof value === 'string' && DURATION.exec(value)) || [];
  return Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
}
