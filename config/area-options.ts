import { count, fieldsOf, readOptions, REQUIRED } from './yaml-options.js';

/** The grid of a state channel whose keys have a place. Clients get the cells that they look at, and nothing else. */
export interface AreaOptions {
  /** The fields at the top of a value with its two coordinates. */
  readonly fields: readonly [string, string];
  /** The sides of a cell, in the unit of the coordinates. */
  readonly cell: number;
  /** Cells that one client may look at in one channel. */
  readonly maxCells: number;
  /**
   * The second coordinate goes from -wrap to wrap, and begins again there, as degrees of longitude. A whole number of
   * cells, because clients count columns across the line. 0: it does not begin again.
   */
  readonly wrap: number;
}

const MAX_CELLS = 1_024;
const MAX_FIELD_LENGTH = 64;

const OPTIONS = {
  fields: { key: 'fields', read: fieldNames, absent: REQUIRED },
  cell: { key: 'cell', read: size, absent: REQUIRED },
  max_cells: { key: 'maxCells', read: cells, absent: 64 },
  wrap: { key: 'wrap', read: size, absent: 0 },
} as const;

/** Reads `area: { fields: [lat, lon], cell, max_cells, wrap }`. */
export function areaOptions(value: unknown): AreaOptions {
  const faults: string[] = [];
  const given = fieldsOf(value, 'it', faults);
  const options = readOptions(OPTIONS, given, 'it', faults) as unknown as AreaOptions;
  if (faults.length === 0 && !isWhole(options.wrap / options.cell)) {
    faults.push('wrap must be a whole number of cells, so that no cell lies on both sides of the line');
  }
  if (faults.length > 0) throw new Error(`has a fault: ${faults.join('; ').replaceAll('it.', '')}`);
  return Object.freeze(options);
}

function fieldNames(value: unknown): readonly [string, string] {
  const [first, second, ...rest]: readonly unknown[] = Array.isArray(value) ? value : [];
  if (!isField(first) || !isField(second) || rest.length > 0 || first === second) {
    throw new Error('must be the names of two fields, such as [lat, lon]');
  }
  return Object.freeze([first, second] as const);
}

function isField(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= MAX_FIELD_LENGTH && name !== '__proto__';
}

function size(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) throw new Error('must be a number above 0');
  return value;
}

/** Apart from what the division of two decimal numbers gets wrong: 178.5 / 0.7 is 255.00000000000003. */
function isWhole(quotient: number): boolean {
  return Math.abs(quotient - Math.round(quotient)) <= 4 * Number.EPSILON * quotient;
}

function cells(value: unknown): number {
  const number = count(value);
  if (number < 1 || number > MAX_CELLS) throw new Error(`must be a whole number from 1 to ${MAX_CELLS}`);
  return number;
}
