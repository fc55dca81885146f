import fc from 'fast-check';

const SURROGATES = { from: 0xd800, count: 0x800 };

/** A unit of `fc.string`: every code point. The unit `binary` is the same, but takes three seconds in each process. */
export const ANY_CHARACTER = fc
  .integer({ min: 0, max: 0x10ffff - SURROGATES.count })
  .map((code) => String.fromCodePoint(code < SURROGATES.from ? code : code + SURROGATES.count));
