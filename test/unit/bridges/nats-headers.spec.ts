import * as jetstream from '@nats-io/jetstream';
import * as nats from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { natsHeaders } from '../../../src/bridges/nats/nats-headers.js';
import { natsRefusalOf } from '../../../src/bridges/nats/nats-refusal.js';

const PACKAGES = { nats, jetstream };

it.each([
  ['a line break', 'alice\r\nNats-Msg-Id: other', 'alice%0D%0ANats-Msg-Id: other'],
  ['control characters', 'a\u0000b\u007F', 'a%00b%7F'],
  ['white space at its ends', ' alice\t', '%20alice%09'],
  ['a percent sign', '100%', '100%25'],
])('a header with %s is percent-encoded, and can be decoded', (_what, value, encoded) => {
  const headers = natsHeaders(PACKAGES, { 'gatehouse-from': value });
  expect(headers.get('gatehouse-from')).toBe(encoded);
  expect(decodeURIComponent(encoded)).toBe(value);
});

it.each(['alice', 'Grüße aus Köln', 'room:7', '😀', ''])('a header with %j stays as it is', (value) => {
  expect(natsHeaders(PACKAGES, { name: value }).get('name')).toBe(value);
});

it('a header with half of a character has a replacement in its place', () => {
  expect(natsHeaders(PACKAGES, { name: 'a\uD800%' }).get('name')).toBe('a\uFFFD%25');
});

it('says which errors are for good', () => {
  const apiError = (code: number) =>
    new jetstream.JetStreamApiError({ code: 400, err_code: code, description: `code ${code}` });
  const rights = new nats.PermissionViolationError('no rights', 'publish', 'a');
  expect(natsRefusalOf(apiError(10_054))).toBe('code 10054');
  expect(natsRefusalOf(apiError(10_060))).toBe('code 10060');
  expect(natsRefusalOf(new nats.RequestError('failed', { cause: rights }))).toBe('no rights');
  expect(natsRefusalOf(nats.InvalidArgumentError.format('payload', 'is too large'))).toContain('too large');
  // The stream is full: it may be emptied.
  expect(natsRefusalOf(apiError(10_077))).toBeUndefined();
  expect(natsRefusalOf(new nats.TimeoutError())).toBeUndefined();
  expect(natsRefusalOf(new nats.RequestError('', { cause: new nats.NoRespondersError('a') }))).toBeUndefined();
});
