import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merge, patchBetween } from '../../../../src/channels/state/merge-patch.js';

describe('a merge patch', () => {
  // The examples of RFC 7396, appendix A.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j and %j makes %j', (value, patch, expected) => {
    expect(merge(value, patch)).toEqual(expected);
  });

  it('changes neither the value nor the patch', () => {
    const value = Object.freeze({ a: Object.freeze({ b: 1 }) });
    const patch = Object.freeze({ a: Object.freeze({ c: 1 }) });
    expect(merge(value, patch)).toEqual({ a: { b: 1, c: 1 } });
  });

  it('takes no field from a prototype', () => {
    expect(merge({}, { constructor: { a: 1 } })).toEqual({ constructor: { a: 1 } });
    expect(patchBetween({}, { toString: 1 })).toEqual({ toString: 1 });
    expect(patchBetween({ toString: 1 }, {})).toEqual({ toString: null });
  });

  it('between any two values makes the second of the first, and none is needed for equal ones', () => {
    const json = fc.letrec((tie) => ({
      leaf: fc.oneof(
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        fc.constant(''),
        fc.array(tie('value'), { maxLength: 2 }),
      ),
      fields: fc.dictionary(fc.constantFrom('a', 'b', 'toString'), tie('value'), { maxKeys: 3 }),
      value: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('fields')),
    })).value;
    fc.assert(
      fc.property(json, json, (from, to) => {
        const patch = patchBetween(from, to);
        expect(patch === undefined ? from : merge(from, patch)).toEqual(to);
        expect(patchBetween(to, structuredClone(to))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
