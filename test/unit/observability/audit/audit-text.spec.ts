import { describe, expect, it } from 'vitest';
import { auditPath, auditText } from '../../../../src/observability/audit/audit-text.js';
import { mintToken } from '../../../support/test-server.js';

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
    expect(auditText(text)).toBe(shown);
  });

  it('is cut, however long it is', () => {
    expect(auditText('x'.repeat(1e6))).toBe(`${'x'.repeat(128)}…`);
    expect(auditText('\u0000'.repeat(1e6))?.length).toBeLessThan(128 * 6);
  });

  it('never is a token, wherever the client has put it', () => {
    const token = mintToken();
    for (const text of [token, `x${token}`, `/ws/${token}/more`, `${token} ${token}`]) {
      const shown = auditText(text) ?? '';
      expect(shown).toContain('(token)');
      for (const part of token.split('.')) expect(shown).not.toContain(part);
    }
  });

  it('of a path is without its query', () => {
    expect(auditPath('/ws?token=secret')).toBe('/ws');
    expect(auditPath('/ws#secret')).toBe('/ws');
    expect(auditPath('/ws')).toBe('/ws');
    expect(auditPath(undefined)).toBeUndefined();
  });
});
