import { describe, expect, it } from 'vitest';
import { DEFAULT_SUBPROTOCOL } from '@gatehouse/protocol';
import { chooseSubprotocol, CODECS } from '../../../../src/protocol/codecs/subprotocols.js';

describe('chooseSubprotocol', () => {
  it('takes the first of the client’s list that is spoken here', () => {
    expect(chooseSubprotocol(['graphql-ws', 'v2.proto', 'v1.json'])).toBe('v2.proto');
    expect(chooseSubprotocol(['v1.json', 'v2.proto'])).toBe('v1.json');
  });

  it('finds none where none is spoken', () => {
    for (const offered of [[], ['graphql-ws'], ['constructor', '__proto__', 'V1.JSON']]) {
      expect(chooseSubprotocol(offered)).toBeUndefined();
    }
  });

  it('knows every codec by its own name', () => {
    for (const [name, codec] of Object.entries(CODECS)) expect(codec.subprotocol).toBe(name);
    expect(CODECS[DEFAULT_SUBPROTOCOL].frameKind).toBe('text');
  });
});
