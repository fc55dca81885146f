import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNamespaces } from '../../../config/namespaces.js';
import { channelNamed } from '../../../src/channels/channel.js';
import { ANY_CHARACTER } from '../../support/any-character.js';

const namespaces = parseNamespaces('namespaces: { room: { subscribe: anyone }, a-b_9: {} }');

describe('a channel name', () => {
  it.each([
    'room:lobby',
    'room:a:b',
    'room:grüße',
    'room:a b',
    'room:*',
    'room:..',
    'a-b_9:x',
    `room:${'x'.repeat(250)}`,
  ])('is %s', (name) => {
    const channel = channelNamed(name, namespaces);
    expect(channel.name).toBe(name);
    expect(`${channel.namespace.name}:${channel.localName}`).toBe(name);
  });

  it.each([
    ['no namespace', 'lobby'],
    ['nothing', ''],
    ['a colon', ':'],
    ['no local name', 'room:'],
    ['an unknown namespace', 'nope:x'],
    ['a property of every object', 'constructor:x'],
    ['the prototype', '__proto__:x'],
    ['an empty namespace', ':x'],
    ['a companion', '@presence:room:x'],
    ['another case', 'ROOM:x'],
    ['a space in front', ' room:x'],
    ['a space behind the colon', 'room: x'],
    ['a line break', 'room:a\nb'],
    ['a line break at the end', 'room:a\n'],
    ['a null character', 'room:a\0b'],
    ['an invisible character', 'room:a\u200bb'],
    ['a direction override', 'room:a\u202eb'],
    ['half a surrogate pair', 'room:a\ud800'],
    ['256 characters', `room:${'x'.repeat(251)}`],
    ['a megabyte', `room:${'x'.repeat(1_000_000)}`],
  ])('is not %s', (_what, name) => {
    expect(() => channelNamed(name, namespaces)).toThrow(expect.objectContaining({ code: 'UNKNOWN_CHANNEL' }));
  });

  it('of any text is a channel of a known namespace or none, and never bears a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: ANY_CHARACTER, maxLength: 300 }), (text) => {
        let name;
        try {
          name = channelNamed(`room:${text}`, namespaces).name;
        } catch (error) {
          expect(error).toMatchObject({ code: 'UNKNOWN_CHANNEL' });
          return;
        }
        // Keys made of a channel's name and something else are told apart by one.
        expect(name).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
