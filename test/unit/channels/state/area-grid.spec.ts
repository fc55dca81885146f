import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AreaOptions } from '../../../../config/area-options.js';
import { cellOf, cellsIn, type Box } from '../../../../src/channels/state/area-grid.js';

const PLANE: AreaOptions = { fields: ['x', 'y'], cell: 10, maxCells: 64, wrap: 0 };
const GLOBE: AreaOptions = { fields: ['lat', 'lon'], cell: 0.01, maxCells: 1_024, wrap: 180 };
const WIDE: AreaOptions = { fields: ['lat', 'lon'], cell: 50, maxCells: 64, wrap: 180 };

function refusalOf(area: AreaOptions, box: Box): unknown {
  try {
    return cellsIn(area, box);
  } catch (error) {
    const { code, details } = error as { code: string; details: { box: string[] } };
    return [code, details.box[0]];
  }
}

describe('the cell of a value', () => {
  it('is named by its row and column', () => {
    expect(cellOf(PLANE, { x: 5, y: 12 })).toBe('0:1');
    expect(cellOf(PLANE, { x: -0, y: -0.001 })).toBe('0:-1');
    expect(cellOf(PLANE, { x: 10, y: 20, z: 'more' })).toBe('1:2');
  });

  it.each([
    ['no fields', {}],
    ['one field', { x: 1 }],
    ['text', { x: '1', y: 1 }],
    ['a list', { x: [1], y: 1 }],
    ['null', { x: null, y: 1 }],
    ['NaN', { x: NaN, y: 1 }],
    ['Infinity', { x: 1, y: Infinity }],
    ['more than cells can count', { x: 1e300, y: 1 }],
    ['a list instead of a map', [1, 2]],
    ['a number instead of a map', 7],
    ['nothing', undefined],
  ])('is none for %s', (_name, value) => {
    expect(cellOf(PLANE, value)).toBeUndefined();
  });

  it('is the same all around the globe', () => {
    expect(cellOf(GLOBE, { lat: 0, lon: 180 })).toBe(cellOf(GLOBE, { lat: 0, lon: -180 }));
    expect(cellOf(WIDE, { lat: 0, lon: 190 })).toBe(cellOf(WIDE, { lat: 0, lon: -170 }));
    expect(cellOf(WIDE, { lat: 0, lon: 179.99999999999997 })).toBe('0:3');
  });
});

describe('the cells of a box', () => {
  it('are all that it touches', () => {
    expect(cellsIn(PLANE, [0, 5, 19, 10])).toEqual(['0:0', '0:1', '1:0', '1:1']);
    expect(cellsIn(PLANE, [3, 3, 3, 3])).toEqual(['0:0']);
  });

  it.each<[string, AreaOptions, Box, string, RegExp]>([
    ['is inverted in its first coordinate', PLANE, [10, 0, 0, 10], 'VALIDATION_FAILED', /begins behind its end/],
    ['is inverted in its second coordinate', PLANE, [0, 10, 10, 0], 'VALIDATION_FAILED', /begins behind its end/],
    ['is inverted in its latitude', GLOBE, [1, 0, 0, 0], 'VALIDATION_FAILED', /begins behind its end/],
    ['holds NaN', PLANE, [NaN, 0, 0, 0], 'VALIDATION_FAILED', /a number that no cell has/],
    ['holds Infinity', GLOBE, [0, 0, 0, Infinity], 'VALIDATION_FAILED', /a number that no cell has/],
    ['goes back more than one turn', GLOBE, [0, 500, 1, 0], 'VALIDATION_FAILED', /more than once/],
    ['covers the world', GLOBE, [-90, -180, 90, 180], 'AREA_TOO_LARGE', /touches 648036000 cells, at most 1024/],
    ['covers all numbers', PLANE, [-1e15, -1e15, 1e15, 1e15], 'AREA_TOO_LARGE', /touches/],
  ])('are refused if it %s', (_name, area, box, code, reason) => {
    expect(refusalOf(area, box)).toEqual([code, expect.stringMatching(reason)]);
  });

  it('go over the line of ±180° from either side', () => {
    const over = ['0:3', '0:-4'];
    expect(cellsIn(WIDE, [0, 170, 1, -170])).toEqual(over);
    expect(cellsIn(WIDE, [0, 170, 1, 190])).toEqual(over);
    expect(cellsIn(WIDE, [0, -190, 1, -170])).toEqual(over);
    expect(cellsIn(WIDE, [0, 530, 1, 550])).toEqual(over);
    expect(cellsIn(WIDE, [0, 190, 1, 195])).toEqual(['0:-4']);
  });

  it('are each column once where the box goes around the globe', () => {
    const around = ['0:-4', '0:-3', '0:-2', '0:-1', '0:0', '0:1', '0:2', '0:3'];
    for (const [from, to] of [
      [-180, 180],
      [-180, 179.9],
      [0, 1_000],
      [10, 5],
      [60, 40],
    ] as const) {
      expect(cellsIn(WIDE, [0, from, 1, to])).toEqual(around);
    }
  });

  it('are each column where the box goes around nearly all of the globe, and rounding closes it', () => {
    const halves = { ...WIDE, cell: 180 };
    for (const from of [0, 0.1, -1e-14, 180, 365, -725]) {
      for (const width of [359.99999999999994, 359.9999999999999]) {
        expect(cellsIn(halves, [0, from, 1, from + width])).toEqual(['0:-1', '0:0']);
      }
    }
  });

  it('hold every place in the box', () => {
    const CASE = fc.record({
      lat: fc.double({ min: -400, max: 400, noNaN: true }),
      lon: fc.double({ min: -400, max: 400, noNaN: true }),
      length: fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.double({ min: 2 - 1e-12, max: 2, noNaN: true })),
      cell: fc.constantFrom(0.01, 0.3, 7, 50, 180, 360),
      down: fc.double({ min: 0, max: 1, noNaN: true }),
      along: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(CASE, ({ lat, lon, length, cell, down, along }) => {
        const area = { ...GLOBE, cell, wrap: Math.max(180, cell), maxCells: 1_000_000 };
        const side = length * cell;
        const box: Box = [lat, lon, lat + side, lon + side];
        const inside = { lat: Math.min(lat + down * side, box[2]), lon: Math.min(lon + along * side, box[3]) };
        const cells = cellsIn(area, box);
        expect(cells).toContain(cellOf(area, inside));
        expect(new Set(cells).size).toBe(cells.length);
      }),
    );
  });
});
