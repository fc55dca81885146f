import { describe, expect, it } from 'vitest';
import { parseTraceparent, traceparentOf } from '../../../src/protocol/traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    // A version that is to come, of the same form.
    [`cc-${TRACE}-${SPAN}-01`, true],
  ])('%s is read', (text, isSampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  it('is written as it is read', () => {
    const text = `00-${TRACE}-${SPAN}-01`;
    expect(traceparentOf({ traceId: TRACE, spanId: SPAN, isSampled: true })).toBe(text);
  });

  it.each([
    undefined,
    7,
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-0\n`,
    `00-${TRACE}-${SPAN}-01\n`,
    `00-${SPAN}-${TRACE}-01`,
    `${'00'.repeat(1_000_000)}-${TRACE}-${SPAN}-01`,
  ])('that is none counts as absent: %.60s', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});
