import type { AreaOptions } from '../../../config/area-options.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { isObject } from './merge-patch.js';

/** What a client looks at: `[least, least, most, most]` of the two coordinates. */
export type Box = readonly [minFirst: number, minSecond: number, maxFirst: number, maxSecond: number];

/** From one row or column to another, both included. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Differs whenever a value would be in a cell of another name. */
export function gridOf({ fields, cell, wrap }: AreaOptions): string {
  return JSON.stringify([...fields, cell, wrap]);
}

/** The name of the cell that a value is in, such as `5991:1070`. Undefined if it has no place. */
export function cellOf(area: AreaOptions, value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const [row, column] = [rowOf(area, value[area.fields[0]]), columnOf(area, value[area.fields[1]])];
  return row === undefined || column === undefined ? undefined : `${row}:${column}`;
}

/**
 * The cells that a box touches.
 *
 * @throws GatehouseError VALIDATION_FAILED if it is none, AREA_TOO_LARGE if it touches too many
 */
export function cellsIn(area: AreaOptions, box: Box): readonly string[] {
  const [minFirst, minSecond, maxFirst, maxSecond] = box;
  const rows = { from: rowOf(area, minFirst), to: rowOf(area, maxFirst) };
  if (rows.from === undefined || rows.to === undefined) throw unfit('holds a number that no cell has');
  if (minFirst > maxFirst) throw unfit('begins behind its end: it is [least, least, most, most]');
  const spans = columnsOf(area, minSecond, maxSecond);
  const height = rows.to - rows.from + 1;
  const count = spans.reduce((sum, { from, to }) => sum + height * (to - from + 1), 0);
  // Before the cells are counted one by one: a box can cover the world.
  if (count > area.maxCells) throw tooLarge(count, area.maxCells);
  const cells: string[] = [];
  for (let row = rows.from; row <= rows.to; row += 1) {
    for (const { from, to } of spans) {
      for (let column = from; column <= to; column += 1) cells.push(`${row}:${column}`);
    }
  }
  return cells;
}

function rowOf({ cell }: AreaOptions, coordinate: unknown): number | undefined {
  if (typeof coordinate !== 'number') return undefined;
  const row = Math.floor(coordinate / cell);
  // `+ 0` makes 0 of -0.
  return Number.isSafeInteger(row) ? row + 0 : undefined;
}

function columnOf(area: AreaOptions, coordinate: unknown): number | undefined {
  if (typeof coordinate !== 'number' || !Number.isFinite(coordinate)) return undefined;
  const { wrap } = area;
  if (wrap === 0) return rowOf(area, coordinate);
  const column = rowOf(area, folded(coordinate, wrap));
  // A quotient may be rounded up to the first column behind the end.
  return column === undefined ? undefined : Math.min(column, lastColumnOf(area));
}

function columnsOf(area: AreaOptions, min: number, max: number): readonly Span[] {
  const { wrap } = area;
  const [from, to] = [columnOf(area, min), columnOf(area, max)];
  if (from === undefined || to === undefined) throw unfit('holds a number that no cell has');
  if (wrap === 0) {
    if (min > max) throw unfit('begins behind its end: it is [least, least, most, most]');
    return [{ from, to }];
  }
  // As RFC 7946 has it, a box that goes over the line begins with the greater number.
  const width = max < min ? max - min + 2 * wrap : max - min;
  if (width < 0) throw unfit('goes around more than once');
  const [first, last] = [columnOf(area, -wrap) ?? 0, lastColumnOf(area)];
  const ahead = folded(max, wrap) - folded(min, wrap);
  // A box around nearly the whole globe may end where it begins, or behind that, once its end is rounded.
  const goesOver = ahead < 0 || (width > wrap && ahead < wrap / 2);
  if (!goesOver && width < 2 * wrap) return [{ from, to }];
  const isWhole = width >= 2 * wrap || to >= from - 1;
  return isWhole
    ? [{ from: first, to: last }]
    : [
        { from, to: last },
        { from: first, to },
      ];
}

function lastColumnOf({ cell, wrap }: AreaOptions): number {
  return Math.ceil(wrap / cell) - 1;
}

/** From -wrap, included, to wrap. What is there already stays exactly as it is. */
function folded(coordinate: number, wrap: number): number {
  if (coordinate >= -wrap && coordinate < wrap) return coordinate;
  const turn = 2 * wrap;
  const shifted = (((coordinate + wrap) % turn) + turn) % turn;
  return shifted - wrap;
}

function unfit(reason: string): GatehouseError {
  return new GatehouseError('VALIDATION_FAILED', { details: { box: [`box ${reason}`] } });
}

function tooLarge(count: number, most: number): GatehouseError {
  return new GatehouseError('AREA_TOO_LARGE', {
    details: { box: [`box touches ${count} cells, at most ${most} may be`] },
  });
}
