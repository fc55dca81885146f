import fc from 'fast-check';
import { ANY_CHARACTER } from '../support/any-character.js';

const TYPES = [
  'echo',
  'ping',
  'hello',
  'auth_refresh',
  'broadcast',
  'send_message',
  'subscribe',
  'unsubscribe',
  'publish',
  'history',
  'presence',
  '__proto__',
  'constructor',
  '',
  'x'.repeat(129),
];
const TEXTS = [
  '',
  '__proto__',
  'room:a',
  'room:',
  ':',
  '*',
  'user:mallory',
  'feed:\u0000',
  '\ud800',
  '👩‍👩‍👧',
  'a'.repeat(300),
];
const NUMBERS = [0, -0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, Number.NaN, Infinity];

/** Names that handlers look at, so that what is random gets past the first check now and then. */
const FIELDS = [
  'channel',
  'data',
  'since',
  'epoch',
  'seq',
  'limit',
  'targetUserId',
  'message',
  'token',
  'idempotencyKey',
  'ttlMs',
];

const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, ...TEXTS, ...NUMBERS),
  fc.string({ unit: ANY_CHARACTER, maxLength: 40 }),
  fc.double(),
);

const value: fc.Arbitrary<unknown> = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...FIELDS), fc.string({ maxLength: 8 })), tie('node'), { maxKeys: 5 }),
  ),
})).node;

/** An envelope that any client could write, with values that none should. */
export const envelopes: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    type: fc.oneof(fc.constantFrom(...TYPES), fc.string({ maxLength: 20 })),
    id: fc.oneof(fc.constantFrom<unknown>(...TEXTS, 1, -1, 2 ** 53 - 1), fc.string({ maxLength: 70 })),
    data: value,
    trace: fc.string({ maxLength: 60 }),
    enc: fc.constantFrom('fernet', 'x'),
    channel: fc.constantFrom(...TEXTS),
  },
  { requiredKeys: ['type'] },
);

type Mutation = (bytes: Buffer) => Buffer;

const at = (bytes: Buffer, share: number): number => Math.floor(share * bytes.length);
const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(share, fc.integer({ min: 0, max: 255 })).map(([where, byte]): Mutation => (bytes) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[at(changed, where)] = byte;
    return changed;
  }),
  share.map(
    (where): Mutation =>
      (bytes) =>
        bytes.subarray(0, at(bytes, where)),
  ),
  share.map(
    (where): Mutation =>
      (bytes) =>
        bytes.subarray(at(bytes, where)),
  ),
  fc.tuple(share, fc.uint8Array({ maxLength: 12 })).map(
    ([where, inserted]): Mutation =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, at(bytes, where)), inserted, bytes.subarray(at(bytes, where))]),
  ),
  fc.tuple(share, share).map(([from, to]): Mutation => (bytes) => {
    const part = bytes.subarray(Math.min(at(bytes, from), at(bytes, to)), Math.max(at(bytes, from), at(bytes, to)));
    return Buffer.concat([bytes, part]);
  }),
);

/** What becomes of good bytes on their way through a bad program. */
export const mutations: fc.Arbitrary<Mutation> = fc.array(mutation, { minLength: 1, maxLength: 4 }).map(
  (all): Mutation =>
    (bytes) =>
      all.reduce((changed, mutate) => mutate(changed), bytes),
);

/** Cuts bytes into segments; a cut is a share of the length. */
export const cuts: fc.Arbitrary<(bytes: Buffer) => Buffer[]> = fc
  .array(share, { maxLength: 8 })
  .map((shares) => (bytes) => {
    const places = [...shares.map((where) => at(bytes, where)), 0, bytes.length].sort((left, right) => left - right);
    return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
  });

/** A frame, mostly as it should be: of any opcode, with any flags, with a mask or none, with the length it has or another. */
export const frames: fc.Arbitrary<Buffer> = fc
  .record({
    first: fc.oneof(
      fc.constantFrom(0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8a, 0xc1),
      fc.integer({ min: 0, max: 255 }),
    ),
    isMasked: fc.boolean().chain((rare) => (rare ? fc.boolean() : fc.constant(true))),
    mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    payload: fc.uint8Array({ maxLength: 200 }),
    declared: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { freq: 10 }),
  })
  .map(({ first, isMasked, mask, payload, declared }) => {
    const flag = isMasked ? 0x80 : 0;
    const long = Buffer.alloc(8);
    long.writeBigUInt64BE(declared ?? BigInt(payload.length));
    const length = declared === null && payload.length < 126 ? [flag | payload.length] : [flag | 127, ...long];
    return Buffer.concat([Buffer.from([first, ...length]), isMasked ? mask : Buffer.alloc(0), payload]);
  });

const HEADERS = [
  'Host',
  'Upgrade',
  'Connection',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Version',
  'Sec-WebSocket-Protocol',
  'Sec-WebSocket-Extensions',
  'Authorization',
  'Origin',
  'Content-Length',
  'Transfer-Encoding',
  'Expect',
  'X-Forwarded-For',
];
const VALUES = [
  'x',
  'websocket',
  'h2c',
  'Upgrade',
  'upgrade, keep-alive',
  'dGhlIHNhbXBsZSBub25jZQ==',
  '13',
  '8',
  'v1.json',
  'v1.json, v1.json',
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits=99',
  'Bearer',
  'Bearer x.y.z',
  'null',
  '-1',
  'chunked',
  '100-continue',
  '999.1.1.1, ::1',
];
const PATHS = [
  '/ws',
  '/ws?token=x',
  '/ws?token=%',
  '/',
  '/health',
  '/metrics',
  '/api/nodes',
  '/docs',
  '*',
  '//',
  '/ws/../ws',
  'http://x/ws',
  '/\ud83d',
];

const header = fc.tuple(
  fc.oneof(fc.constantFrom(...HEADERS), fc.string({ maxLength: 12 })),
  fc.oneof(fc.constantFrom(...VALUES), fc.string({ unit: ANY_CHARACTER, maxLength: 60 })),
);

/** The head of a request, with what may stand in one and what may not. */
export const heads: fc.Arbitrary<Buffer> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'get', ''),
    path: fc.oneof(fc.constantFrom(...PATHS), fc.webPath()),
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', ''),
    headers: fc.array(header, { maxLength: 12 }),
    end: fc.constantFrom('\r\n', '\n', '\r'),
    rest: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ method, path, version, headers, end, rest }) => {
    const lines = [`${method} ${path} ${version}`, ...headers.map(([name, text]) => `${name}: ${text}`), '', ''];
    return Buffer.concat([Buffer.from(lines.join(end)), rest]);
  });
