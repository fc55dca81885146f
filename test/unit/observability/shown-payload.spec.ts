import { describe, expect, it } from 'vitest';
import { shownPayload } from '../../../src/observability/tap/shown-payload.js';

const shown = (data: unknown): string | undefined => shownPayload({ type: 'x', bytes: 10, data });

describe('a payload for an operator', () => {
  it('hides the whole value of a field that is named like a secret', () => {
    expect(shown({ tokens: ['a', 'b'], kept: 1 })).toBe('{"tokens":"(secret)","kept":1}');
    expect(shown([{ password: { old: 'a', new: 'b' } }])).toBe('[{"password":"(secret)"}]');
    expect(shown({ 'my"api_key': 'a,b}', apiKey: null })).toBe('{"my\\"api_key":"(secret)","apiKey":"(secret)"}');
  });

  it('shows bytes and 64-bit integers as clients of JSON get them', () => {
    expect(shown({ bytes: Buffer.from('hi'), id: 2n ** 60n })).toBe('{"bytes":"aGk=","id":"1152921504606846976"}');
  });

  it('takes no longer for text that is full of the names of secrets', { timeout: 60_000 }, () => {
    // The square of this would take an hour.
    expect(shown({ text: 'token'.repeat(400_000) })).toMatch(/^{"text":"tokentoken/);
  });
});
