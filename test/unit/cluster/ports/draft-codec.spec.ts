import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decodeDraft, encodeDraft } from '../../../../src/cluster/ports/draft-codec.js';
import { draft } from '../broker-bench.js';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const DATA = { text: '\u{feff}hi', list: [1, null, { deep: 'x' }], bytes: Buffer.of(1, 2) };

/** What the release before traces made of a publication: six or seven fields, the sixth whether texts begin with a dot. */
function readByFormerRelease(bytes: Buffer) {
  const fields = new Packr({ useRecords: false }).unpack(bytes) as unknown[];
  if (fields.length !== 6 && !(fields.length === 7 && typeof fields[6] === 'string')) throw new Error('not readable');
  return { data: fields[5] ? withoutDots(fields[0]) : fields[0], enc: fields[6] };
}

function withoutDots(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(1);
  if (Array.isArray(value)) return value.map(withoutDots);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key.slice(1), withoutDots(field)]));
}

describe('a publication on its way through Redis', () => {
  it.each([{ trace: TRACE }, { trace: TRACE, enc: 'fernet' }, { enc: 'fernet' }, {}])('brings %j', (others) => {
    const written = draft(DATA, { from: { userId: 'u', sessionId: 's' }, ...others });
    expect(decodeDraft(encodeDraft(written))).toEqual(written);
  });

  it.each([{}, { enc: 'fernet' }])('with a trace is read by nodes of the release before too: %j', (others) => {
    const bytes = encodeDraft(draft(DATA, { ...others, trace: TRACE }));
    expect(readByFormerRelease(bytes)).toEqual({ data: DATA, enc: undefined, ...others });
  });
});
