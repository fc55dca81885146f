import { describe, expect, it } from 'vitest';
import { CLOSES, ERRORS } from '@gatehouse/protocol';

describe('the registry of closes', () => {
  it.each(Object.entries(CLOSES))('has a reason for %s that fits a close frame', (_, { reason }) => {
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  });

  it.each(Object.entries(CLOSES))('has a code for %s that a server may send', (_, { code }) => {
    // RFC 6455 §7.4: 1004 to 1006 and 1015 never stand in a frame; 3000 to 3999 are registered with IANA.
    const ofTheProtocol = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
    expect(ofTheProtocol || (code >= 4000 && code <= 4999)).toBe(true);
  });
});

describe('the registry of errors', () => {
  it.each(Object.entries(ERRORS))('has a sentence for %s', (code, { message }) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(message).toMatch(/^[A-Z].*[^.]$/);
  });
});
