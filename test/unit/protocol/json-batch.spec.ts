import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemsOf } from '../../../src/protocol/codecs/json-batch.js';

const texts = (text: string, most = 64): string[] | undefined =>
  itemsOf(Buffer.from(text), most)?.map((item) => item.toString());

describe('a list of messages', () => {
  it('is cut into its items, whatever is in them', () => {
    const list = fc.array(fc.jsonValue({ maxDepth: 3 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(list, fc.constantFrom(undefined, 2), (values, space) => {
        const items = texts(JSON.stringify(values, undefined, space)) ?? [];
        expect(items.map((item) => JSON.parse(item) as unknown)).toEqual(JSON.parse(JSON.stringify(values)));
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['an object', '{"type":"a"}'],
    ['nothing', ''],
    ['a list without an end', '[{"type":"a"}'],
    ['a list with something behind it', '[1] 2'],
    ['a text without an end', '["a]'],
    ['a list that ends in an object', '[{]'],
  ])('%s is one message', (_name, text) => {
    expect(texts(text)).toBeUndefined();
  });

  it('has at most so many items; one with more is one message', () => {
    expect(texts('[1,2,3]', 3)).toEqual(['1', '2', '3']);
    expect(texts('[1,2,3,4]', 3)).toBeUndefined();
  });

  it('keeps items that are no messages, so that each counts as malformed', () => {
    expect(texts('[]')).toEqual(['']);
    expect(texts('[1,,]')).toEqual(['1', '', '']);
  });
});
