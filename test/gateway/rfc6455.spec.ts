import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';
import { WIRES } from '../support/wires.js';

/**
 * What RFC 6455 wants of a server, on bytes, in the order of the case list that WebSocket servers are commonly tested by:
 * framing, pings, reserved bits and opcodes, fragments, UTF-8, closing. Breaches are in broken-frames.spec.ts as well.
 */
const FIN = 0x80;
const OP = { more: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

interface Sent {
  readonly first: number;
  readonly payload?: string | Uint8Array;
}

const text = (payload: string | Uint8Array): Sent => ({ first: FIN | OP.text, payload });
const begin = (payload: string | Uint8Array): Sent => ({ first: OP.text, payload });
const more = (payload: string | Uint8Array): Sent => ({ first: OP.more, payload });
const last = (payload: string | Uint8Array): Sent => ({ first: FIN | OP.more, payload });
const ping = (payload: string | Uint8Array = ''): Sent => ({ first: FIN | OP.ping, payload });
const pong = (payload: string | Uint8Array = ''): Sent => ({ first: FIN | OP.pong, payload });
const reserved = (first: number): Sent => ({ first, payload: '{}' });
const close = (code?: number, reason: string | Uint8Array = ''): Sent => {
  if (code === undefined) return { first: FIN | OP.close };
  return { first: FIN | OP.close, payload: Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)]) };
};

/** A frame with a mask of random bytes and the shortest length that holds it. */
function bytesOf({ first, payload = '' }: Sent): Buffer {
  const body = Buffer.from(payload);
  const { length } = body;
  const size = length < 126 ? Buffer.of(length) : Buffer.alloc(length < 65_536 ? 3 : 9);
  if (length >= 126) {
    size[0] = length < 65_536 ? 126 : 127;
    size.writeUIntBE(length, size.length === 3 ? 1 : 3, size.length === 3 ? 2 : 6);
  }
  size[0] = (size[0] ?? 0) | 0x80;
  const mask = randomBytes(4);
  for (let index = 0; index < length; index += 1) body[index] = (body[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return Buffer.concat([Buffer.of(first), size, mask, body]);
}

/** An echo of exactly so many bytes. */
function echoOf(length: number): string {
  const frame = (data: string): string => `{"type":"echo","id":1,"data":"${data}"}`;
  return frame('x'.repeat(length - frame('').length));
}

const ECHO = '{"type":"echo","id":1,"data":"κόσμε 𝄞"}';
const ECHOED = { v: 1, type: 'echo_reply', id: 1, data: 'κόσμε 𝄞' };
const utf8 = Buffer.from(ECHO);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    MAX_MESSAGE_BYTES: '200000',
    MAX_PROTOCOL_ERRORS: '0',
    CONTROL_FRAME_RATE: '0',
    HEARTBEAT_INTERVAL_MS: '0',
  });
});
afterAll(() => server.close());

async function upgraded(subprotocol?: string): Promise<RawClient> {
  const headers = { Authorization: `Bearer ${mintToken()}`, 'Sec-WebSocket-Protocol': subprotocol };
  const client = await RawClient.upgrade(server.port, { headers });
  expect(await client.answer()).toMatchObject({ status: 101 });
  return client;
}

/** Sends frames in chops of so many bytes; 0: in one write. */
function send({ socket }: RawClient, frames: readonly Sent[], chop = 0): void {
  const bytes = Buffer.concat(frames.map(bytesOf));
  if (chop === 0) return void socket.write(bytes);
  for (let start = 0; start < bytes.length; start += chop) socket.write(bytes.subarray(start, start + chop));
}

async function message(client: RawClient): Promise<unknown> {
  const { opcode, payload } = await client.frame();
  expect(opcode).toBe(OP.text);
  return JSON.parse(payload.toString());
}

/** The close frame that comes next, and the end of the connection behind it. */
async function closeOf(client: RawClient): Promise<{ code: number | undefined; reason: string }> {
  const { opcode, payload } = await client.frame();
  expect(opcode).toBe(OP.close);
  client.socket.end();
  await client.closed();
  return { code: payload.length === 0 ? undefined : payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
}

describe('1 framing', () => {
  it.each([125, 126, 127, 128, 65_535, 65_536, 150_000])('a message of %i bytes is read', async (length) => {
    await using client = await upgraded();
    const sent = echoOf(length);
    expect(sent).toHaveLength(length);
    send(client, [text(sent)]);
    expect(await message(client)).toMatchObject({ data: (JSON.parse(sent) as { data: string }).data });
  });

  it.each([125, 126, 127, 65_535, 65_536])(
    'a message of %i bytes is written with the shortest length',
    async (length) => {
      await using client = await upgraded();
      const empty = '{"v":1,"type":"echo_reply","id":1,"data":""}'.length;
      send(client, [text(`{"type":"echo","id":1,"data":"${'x'.repeat(length - empty)}"}`)]);
      const chunks: Buffer[] = [];
      client.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      expect((await client.frame()).payload).toHaveLength(length);
      const expected =
        length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 255] : [127, 0, 0, 0, 0, 0, 1, 0, 0];
      const written = Buffer.concat(chunks);
      expect([...written.subarray(0, 1 + expected.length)]).toEqual([0x81, ...expected]);
    },
  );

  it.each([1, 7, 997])('a message in chops of %i bytes is read', async (chop) => {
    await using client = await upgraded();
    send(client, [text(echoOf(2_000)), text(ECHO)], chop);
    expect(await message(client)).toMatchObject({ type: 'echo_reply' });
    expect(await message(client)).toEqual(ECHOED);
  });

  it('a length that is longer than it need be is read all the same', async () => {
    await using client = await upgraded();
    const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, utf8.length, 0, 0, 0, 0]);
    client.socket.write(Buffer.concat([head, utf8]));
    expect(await message(client)).toEqual(ECHOED);
  });

  it.each(WIRES)('an empty message of $subprotocol is answered with an error', async ({ subprotocol }) => {
    await using client = await upgraded(subprotocol);
    const isText = subprotocol === 'v1.json';
    send(client, [{ first: FIN | (isText ? OP.text : OP.binary) }]);
    expect((await client.frame()).payload.toString('latin1')).toContain('INVALID_MESSAGE_FORMAT');
  });

  it('nothing that the server sends is masked, and every frame is a whole message', async () => {
    await using client = await upgraded();
    let bytes = Buffer.alloc(0);
    client.socket.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
    send(client, [ping('p'), text(ECHO), close(1000)]);
    for (let frames = 0; frames < 3; frames += 1) await client.frame();
    for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] ?? 0)) {
      expect([0x8a, 0x81, 0x88]).toContain(bytes[at]);
      expect((bytes[at + 1] ?? 0) & 0x80).toBe(0);
    }
  });
});

describe('2 pings and pongs', () => {
  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['text', 'Hello, world!'],
    ['bytes', Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff])],
    ['125 bytes', Buffer.alloc(125, 0xfe)],
  ])('a ping with %s is answered with the same', async (_what, payload) => {
    await using client = await upgraded();
    send(client, [ping(payload)], 1);
    expect(await client.frame()).toEqual({ opcode: OP.pong, payload: Buffer.from(payload) });
  });

  it('ten pings are answered in their order, however they are chopped', async () => {
    await using client = await upgraded();
    const payloads = Array.from({ length: 10 }, (_, index) => `payload-${index}`);
    for (const chop of [0, 1]) {
      send(client, payloads.map(ping), chop);
      for (const payload of payloads) {
        expect(await client.frame()).toEqual({ opcode: OP.pong, payload: Buffer.from(payload) });
      }
    }
  });

  it('pongs that nobody asked for are not answered', async () => {
    await using client = await upgraded();
    send(client, [pong(), pong('unsolicited'), ping('after')]);
    expect(await client.frame()).toMatchObject({ opcode: OP.pong, payload: Buffer.from('after') });
  });
});

describe('3 and 4 reserved bits and opcodes', () => {
  const bits = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70].flatMap((rsv) =>
    [OP.text, OP.binary, OP.ping, OP.close].map((opcode) => FIN | rsv | opcode),
  );
  const opcodes = [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf].flatMap((opcode) => [FIN | opcode, opcode]);

  it('each ends the connection with 1002, and what came before it is answered', async () => {
    for (const first of [...bits, ...opcodes]) {
      await using client = await upgraded();
      send(client, [text(ECHO), reserved(first), ping('never answered')]);
      expect(await message(client)).toEqual(ECHOED);
      expect([first, (await closeOf(client)).code]).toEqual([first, 1002]);
    }
  });
});

describe('5 fragments', () => {
  const [a, b, c] = [ECHO.slice(0, 10), ECHO.slice(10, 20), ECHO.slice(20)];

  it.each<[string, Sent[]]>([
    ['two', [begin(a), last(b + c)]],
    ['three', [begin(a), more(b), last(c)]],
    ['many empty ones among them', [begin(''), more(a), more(''), more(''), more(b), more(c), last('')]],
    ['one a byte', [begin(''), ...[...utf8].map((byte) => more(Buffer.of(byte))), last('')]],
  ])('%s are one message, whole or chopped', async (_how, frames) => {
    await using client = await upgraded();
    for (const chop of [0, 1]) {
      send(client, frames, chop);
      expect(await message(client)).toEqual(ECHOED);
    }
  });

  it('pings between them are answered before the message is complete', async () => {
    await using client = await upgraded();
    send(client, [begin(a), ping('one'), more(b), pong('unasked'), ping('two')]);
    expect((await client.frame()).payload.toString()).toBe('one');
    expect((await client.frame()).payload.toString()).toBe('two');
    send(client, [last(c)]);
    expect(await message(client)).toEqual(ECHOED);
  });

  it.each<[string, Sent[]]>([
    ['a continuation of nothing', [last('x')]],
    ['a continuation of nothing, that is not the last', [more('x'), last('y')]],
    ['a continuation behind a whole message', [text('{}'), last('x')]],
    ['a text within a fragmented text', [begin(a), text(ECHO)]],
    ['a beginning within a fragmented text', [begin(a), begin(b)]],
    ['bytes within a fragmented text', [begin(a), { first: FIN | OP.binary, payload: b }]],
    ['a ping in two', [{ first: OP.ping, payload: 'a' }, last('b')]],
    ['a pong in two', [{ first: OP.pong, payload: 'a' }, last('b')]],
    ['a close in two', [{ first: OP.close, payload: Buffer.of(3, 232) }, last('')]],
  ])('%s ends the connection with 1002', async (_what, frames) => {
    await using client = await upgraded();
    send(client, frames);
    if (frames[0]?.first === (FIN | OP.text)) await message(client);
    expect((await closeOf(client)).code).toBe(1002);
  });
});

describe('6 UTF-8', () => {
  it('is whole however it is cut, in fragments and in segments', async () => {
    await using client = await upgraded();
    for (let at = 0; at <= utf8.length; at += 1) {
      send(client, [begin(utf8.subarray(0, at)), last(utf8.subarray(at))], at % 3);
      expect(await message(client)).toEqual(ECHOED);
    }
  });

  const valid = [
    '\u0000',
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\ufffd',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  ];
  it('may be any code point', async () => {
    await using client = await upgraded();
    for (const data of valid) {
      send(client, [text(JSON.stringify({ type: 'echo', data }))]);
      expect(await message(client)).toMatchObject({ data });
    }
  });

  const invalid = [
    '80',
    'bf',
    'c0af',
    'c1bf',
    'c3',
    'c328',
    'e080af',
    'e0',
    'e282',
    'e28228',
    'eda080',
    'edbfbf',
    'edaf80edbfbf',
    'f08080af',
    'f0288cbc',
    'f09d84',
    'f4908080',
    'f8888080 80',
    'fc8480808080',
    'fe',
    'ff',
  ];
  it('that is none ends the connection with 1007, whole or in fragments', async () => {
    for (const hex of invalid) {
      const bytes = Buffer.from(hex.replace(' ', ''), 'hex');
      for (const frames of [[text(bytes)], [begin(bytes.subarray(0, 1)), last(bytes.subarray(1))]]) {
        await using client = await upgraded();
        send(client, frames);
        expect([hex, await closeOf(client)]).toEqual([hex, { code: 1007, reason: 'Invalid UTF-8' }]);
      }
    }
  });

  it('is not asked of bytes', async () => {
    await using client = await upgraded('v1.binary');
    send(client, [{ first: FIN | OP.binary, payload: Buffer.from('fffefd', 'hex') }]);
    expect((await client.frame()).opcode).toBe(OP.binary);
  });
});

describe('7 closing', () => {
  it('is answered behind what was asked before it', async () => {
    await using client = await upgraded();
    send(client, [text(ECHO), ping('p'), close(1000, 'bye')]);
    expect(await message(client)).toEqual(ECHOED);
    expect((await client.frame()).opcode).toBe(OP.pong);
    expect(await closeOf(client)).toEqual({ code: 1000, reason: 'bye' });
  });

  it.each<[string, Sent[]]>([
    ['a message', [text(ECHO)]],
    ['a ping', [ping('p')]],
    ['a second close', [close(1001)]],
    ['a breach', [reserved(0xff)]],
    ['a megabyte', [{ first: FIN | OP.text, payload: Buffer.alloc(1_048_576) }]],
  ])('with %s behind it is answered once', async (_what, behind) => {
    await using client = await upgraded();
    send(client, [close(1000), ...behind]);
    expect(await closeOf(client)).toEqual({ code: 1000, reason: '' });
  });

  it('within a fragmented message is answered', async () => {
    await using client = await upgraded();
    send(client, [begin('{'), close(1000), last('}')]);
    expect((await closeOf(client)).code).toBe(1000);
  });

  it('without a code is answered without one', async () => {
    await using client = await upgraded();
    send(client, [close()]);
    expect((await closeOf(client)).code).toBe(undefined);
  });

  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
    'with %i is answered with the same, and a reason of 123 bytes',
    async (code) => {
      await using client = await upgraded();
      const reason = 'é'.repeat(61) + '.';
      send(client, [close(code, reason)], 1);
      expect(await closeOf(client)).toEqual({ code, reason });
    },
  );

  it('with a code that none may send is answered with 1002', async () => {
    for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
      await using client = await upgraded();
      send(client, [close(code)]);
      expect([code, await closeOf(client)]).toEqual([code, { code: 1002, reason: 'Protocol error' }]);
    }
  });

  it('with a payload that is none is answered with 1002, or 1007 where its reason is no UTF-8', async () => {
    const frames: [Sent, number][] = [
      [{ first: FIN | OP.close, payload: 'x' }, 1002],
      [close(1000, 'x'.repeat(124)), 1002],
      [close(1000, Buffer.from('cebae1bdb9cf83cebcceb5eda080', 'hex')), 1007],
    ];
    for (const [frame, code] of frames) {
      await using client = await upgraded();
      send(client, [frame]);
      expect((await closeOf(client)).code).toBe(code);
    }
  });

  it('by the server ends the connection, whether the client answers or not', async () => {
    for (const answers of [true, false]) {
      await using client = await upgraded('v1.binary');
      send(client, [text('{}')]);
      const { payload } = await client.frame();
      expect(payload.readUInt16BE(0)).toBe(1003);
      if (answers) send(client, [close(1003)]);
      client.socket.end();
      await client.closed();
    }
  });
});
