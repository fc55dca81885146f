import { describe, expect, it } from 'vitest';
import { clientPath, clientText } from '../../../src/observability/client-text.js';
import { mintToken } from '../../support/test-server.js';

describe('text of a client in the audit', () => {
  it.each([
    ['alice', 'alice'],
    ['Łucja 🦊', 'Łucja 🦊'],
    ['a\nb\u001b[2Jc', 'a\\u{a}b\\u{1b}[2Jc'],
    ['\u009b2J', '\\u{9b}2J'],
    ['\u202Eecila\u2028', '\\u{202e}ecila\\u{2028}'],
    ['\uD800', '\\u{d800}'],
    ['', ''],
    [undefined, undefined],
  ])('%j is shown as %j', (text, shown) => {
    expect(clientText(text)).toBe(shown);
  });

  it('is cut, however long it is', () => {
    expect(clientText('x'.repeat(1e6))).toBe(`${'x'.repeat(128)}…`);
    expect(clientText('\u0000'.repeat(1e6))?.length).toBeLessThan(128 * 6);
  });

  it('never is a token, wherever the client has put it', () => {
    const token = mintToken();
    for (const text of [token, `x${token}`, `/ws/${token}/more`, `${token} ${token}`]) {
      const shown = clientText(text) ?? '';
      expect(shown).toContain('(token)');
      for (const part of token.split('.')) expect(shown).not.toContain(part);
    }
  });

  it('of a path is without its query', () => {
    expect(clientPath('/ws?token=secret')).toBe('/ws');
    expect(clientPath('/ws#secret')).toBe('/ws');
    expect(clientPath('/ws')).toBe('/ws');
    expect(clientPath(undefined)).toBeUndefined();
  });
});
