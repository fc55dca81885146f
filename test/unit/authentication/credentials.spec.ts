import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { findCredentials, type UpgradeRequest } from '../../../src/authentication/credentials.js';
import { cpuTimeOf } from '../../support/cpu-time.js';
import { ANY_CHARACTER } from '../../support/any-character.js';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln-_';

function offering(header: string, more: Partial<UpgradeRequest> = {}) {
  return findCredentials({ url: '/ws', ...more, headers: { 'sec-websocket-protocol': header, ...more.headers } });
}

function authorized(authorization: string, url = '/ws') {
  return findCredentials({ headers: { authorization }, url });
}

describe('finds the token', () => {
  it('in Authorization, whatever the case of the scheme', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(authorized(`${scheme} ${JWT}`)).toMatchObject({ token: JWT });
    expect(authorized(`Bearer   ${JWT}`)).toMatchObject({ token: JWT });
  });

  it('in a subprotocol entry bearer.<jwt>', () => {
    expect(offering(`v1.json, bearer.${JWT}`)).toEqual({ ok: true, token: JWT, offeredSubprotocols: ['v1.json'] });
    expect(offering(`Bearer.${JWT},v1.json`)).toEqual({ ok: true, token: JWT, offeredSubprotocols: ['v1.json'] });
  });

  it('in a subprotocol entry that is a JWT itself', () => {
    expect(offering(`v2.proto,${JWT},v1.json`)).toEqual({
      ok: true,
      token: JWT,
      offeredSubprotocols: ['v2.proto', 'v1.json'],
    });
  });

  it('in the query', () => {
    expect(findCredentials({ headers: {}, url: `/ws?a=1&token=${JWT}` })).toMatchObject({ token: JWT });
    expect(findCredentials({ headers: {}, url: `/ws?token=${JWT.replaceAll('.', '%2E')}` })).toMatchObject({
      token: JWT,
    });
  });

  it('nowhere when there is none', () => {
    const none = { ok: true, token: undefined, offeredSubprotocols: [] };
    expect(findCredentials({ headers: {} })).toEqual(none);
    expect(findCredentials({ headers: {}, url: '/ws?tokens=x' })).toEqual(none);
    expect(offering('v1.json')).toMatchObject({ token: undefined, offeredSubprotocols: ['v1.json'] });
  });
});

describe('of several tokens', () => {
  it('Authorization wins over the subprotocol, which is taken out all the same', () => {
    expect(offering(`bearer.${JWT},v1.json`, { headers: { authorization: 'Bearer first' } })).toEqual({
      ok: true,
      token: 'first',
      offeredSubprotocols: ['v1.json'],
    });
  });

  it('the subprotocol wins over the query', () => {
    expect(offering('bearer.first', { url: '/ws?token=second' })).toMatchObject({ token: 'first' });
  });

  it('the first subprotocol entry wins, and none is left', () => {
    expect(offering(`bearer.first,${JWT},bearer.third`)).toEqual({ ok: true, token: 'first', offeredSubprotocols: [] });
  });
});

describe('a credential that is there but empty is a bad token, not anonymity:', () => {
  it.each([
    ['Bearer without a value', authorized('Bearer')],
    ['Bearer and a blank', authorized('Bearer ', '/ws?token=second')],
    ['bearer. as a subprotocol', offering('bearer.', { url: '/ws?token=second' })],
    ['?token=', findCredentials({ headers: {}, url: '/ws?token=' })],
  ])('%s', (_name, credentials) => {
    expect(credentials).toMatchObject({ ok: true, token: '' });
  });
});

it('ignores another Authorization scheme and looks on', () => {
  expect(authorized('Basic YTpi')).toMatchObject({ token: undefined });
  expect(authorized('Bearerish x')).toMatchObject({ token: undefined });
  expect(authorized('Basic YTpi', '/ws?token=second')).toMatchObject({ token: 'second' });
});

it.each([
  ['unsigned', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
  ['encrypted', 'eyJh.a.b.c.d'],
  ['cut off', 'eyJhbGciOiJIUzI1NiJ9.eyJz'],
  ['garbled', 'eyJh.%.b'],
])('takes a JWT that is %s for a token too, so that it is refused and not offered', (_name, token) => {
  expect(offering(`v1.json,${token}`)).toEqual({ ok: true, token, offeredSubprotocols: ['v1.json'] });
});

it.each([
  ['in between', 'v1.json,,v2.proto'],
  ['at the end', 'v1.json, v2.proto,'],
  ['at the begin', ', v1.json,v2.proto'],
])('ignores empty entries %s of a subprotocol header', (_where, header) => {
  expect(offering(header)).toEqual({ ok: true, token: undefined, offeredSubprotocols: ['v1.json', 'v2.proto'] });
});

describe('calls a subprotocol header malformed when it', () => {
  it.each([
    ['is empty', ''],
    ['has nothing but commas', ',,'],
    ['repeats an entry', 'v1.json, v1.json'],
    ['repeats a token entry', 'bearer.a,bearer.a'],
    ['has a blank within an entry', 'v1 json'],
    ['has a separator', 'v1/json'],
    ['has quotes', '"v1.json"'],
    ['has a character beyond ASCII', 'v1.jsön'],
    ['has a no-break space around an entry', '\u00a0v1.json'],
    ['has a control character', 'v1.json\u0000'],
    ['has 65 entries', Array.from({ length: 65 }, (_, index) => `p${index}`).join()],
    ['is longer than 16 KiB', 'p'.repeat(16_385)],
  ])('%s', (_name, header) => {
    expect(offering(header)).toEqual({ ok: false, reason: 'malformed_subprotocols' });
    expect(offering(header, { headers: { authorization: 'Bearer x' } }).ok).toBe(false);
  });

  it('but not for 64 entries, or tabs and blanks around them', () => {
    const entries = Array.from({ length: 64 }, (_, index) => `p${index}`);
    expect(offering(entries.join(' \t,\t '))).toMatchObject({ offeredSubprotocols: entries });
  });
});

describe('whatever a client sends', () => {
  const text = fc.oneof(
    fc.string({ unit: ANY_CHARACTER, maxLength: 300 }),
    fc
      .array(fc.constantFrom('bearer.', 'Bearer ', 'eyJ', '.', ',', ' ', 'v1.json', '?', 'token=', '%', 'a'))
      .map((parts) => parts.join('')),
  );
  const request = fc.record({
    url: fc.option(text, { nil: undefined }),
    headers: fc.record({ authorization: text, 'sec-websocket-protocol': text }, { requiredKeys: [] }),
  });

  it('it never throws, and no token entry is left among the subprotocols', () => {
    fc.assert(
      fc.property(request, (sent) => {
        const credentials = findCredentials(sent);
        const left = credentials.ok ? credentials.offeredSubprotocols : [];
        expect(left.filter((entry) => /^bearer\./i.test(entry) || /^eyJ.*\./.test(entry))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('it takes time in proportion to its length', async () => {
    const long = { authorization: `Bearer${' '.repeat(1e5)}`, 'sec-websocket-protocol': `${'\t'.repeat(16_000)}"` };
    const finding = (): void => {
      findCredentials({ headers: long, url: `/ws?${'&'.repeat(1e5)}` });
      findCredentials({ headers: { 'sec-websocket-protocol': `eyJ${'a'.repeat(16_000)}` } });
    };
    expect(await cpuTimeOf(finding)).toBeLessThan(500);
  });
});
