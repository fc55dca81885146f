import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const MASK = [0, 0, 0, 0];
const masked = (first: number, payload: Uint8Array | string = ''): Buffer => {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from([first, 0x80 | bytes.length, ...MASK]), bytes]);
};
const text = (bytes: number[]): Buffer => masked(0x81, Buffer.from(bytes));
const close = (code: number, reason: number[] = []): Buffer =>
  masked(0x88, Buffer.from([code >> 8, code & 0xff, ...reason]));
const declared = (length: bigint): Buffer => {
  const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, ...MASK]);
  head.writeBigUInt64BE(length, 2);
  return head;
};

/** RFC 6455: what a frame must not be, and the code of section 7.4.1 for it. */
const BREACHES: [what: string, bytes: Buffer, code: number, reason?: string][] = [
  ['text that is no UTF-8', text([0xc3, 0x28]), 1007],
  ['text with a surrogate', text([0xed, 0xa0, 0x80]), 1007],
  ['text beyond U+10FFFF', text([0xf4, 0x90, 0x80, 0x80]), 1007],
  ['text with an overlong slash', text([0xc0, 0xaf]), 1007],
  ['text cut within a character', text([0xe2, 0x82]), 1007],
  [
    'a character cut between fragments and not ended',
    Buffer.concat([masked(0x01, Buffer.from([0xe2])), masked(0x80, 'x')]),
    1007,
  ],
  ['RSV1 without compression', masked(0xc1, '{}'), 1002],
  ['RSV2', masked(0xa1, '{}'), 1002],
  ['RSV3', masked(0x91, '{}'), 1002],
  ['opcode 3', masked(0x83), 1002],
  ['opcode 7', masked(0x87), 1002],
  ['opcode 11', masked(0x8b), 1002],
  ['opcode 15', masked(0x8f), 1002],
  ['no mask', Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002],
  ['a ping without mask', Buffer.from([0x89, 0x00]), 1002],
  ['a continuation of nothing', masked(0x80, 'x'), 1002],
  ['a new message within a fragmented one', Buffer.concat([masked(0x01, '{'), masked(0x81, '}')]), 1002],
  ['a fragmented ping', masked(0x09), 1002],
  ['a fragmented pong', masked(0x0a), 1002],
  ['a fragmented close', masked(0x08), 1002],
  ['a ping of 126 bytes', Buffer.from([0x89, 0xfe, 0, 126, ...MASK]), 1002],
  ['a close of one byte', masked(0x88, 'x'), 1002],
  ['a close code 0', close(0), 1002],
  ['a close code 999', close(999), 1002],
  ['a close code 1004', close(1004), 1002],
  ['a close code 1005', close(1005), 1002],
  ['a close code 1006', close(1006), 1002],
  ['a close code 1015', close(1015), 1002],
  ['a close code 2999', close(2999), 1002],
  ['a close code 5000', close(5000), 1002],
  ['a close reason that is no UTF-8', close(1000, [0xc3, 0x28]), 1007],
  ['a message over MAX_MESSAGE_BYTES', declared(100_001n), 1009, 'Message size exceeds limit'],
  ['a message of four gigabytes', declared(2n ** 32n), 1009, 'Message size exceeds limit'],
  ['a message beyond safe integers', declared(2n ** 62n), 1009, 'Message size exceeds limit'],
  ['a binary frame on v1.json', masked(0x82, '{"type":"echo"}'), 1003, 'Wrong frame kind for the subprotocol'],
  ['an empty binary frame on v1.json', masked(0x82), 1003, 'Wrong frame kind for the subprotocol'],
];

describe('a frame that breaks the protocol', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ MAX_MESSAGE_BYTES: '100000' });
  });
  afterAll(() => server.close());

  async function upgraded(subprotocol?: string): Promise<RawClient> {
    const headers = { Authorization: `Bearer ${mintToken()}`, 'Sec-WebSocket-Protocol': subprotocol };
    const client = await RawClient.upgrade(server.port, { headers });
    expect(await client.answer()).toMatchObject({ status: 101 });
    return client;
  }

  async function closeOf(client: RawClient): Promise<{ code: number; reason: string }> {
    const { opcode, payload } = await client.frame();
    expect(opcode).toBe(8);
    return { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
  }

  it.each(BREACHES)('%s closes', async (_what, bytes, code, reason) => {
    await using witness = await connect(server.url);
    await using client = await upgraded();
    client.socket.write(bytes);
    const closed = await closeOf(client);
    expect(closed.code).toBe(code);
    if (reason !== undefined) expect(closed.reason).toBe(reason);
    expect(await witness.request('echo', 'undisturbed')).toMatchObject({ data: 'undisturbed' });
  });

  it.each(['v1.binary', 'v2.proto'])('a text frame on %s closes with 1003', async (subprotocol) => {
    await using client = await upgraded(subprotocol);
    client.socket.write(masked(0x81, '{"type":"echo"}'));
    expect(await closeOf(client)).toEqual({ code: 1003, reason: 'Wrong frame kind for the subprotocol' });
  });

  it('byte by byte is as good as whole, and control frames may come between fragments', async () => {
    await using client = await upgraded();
    const frames = [
      masked(0x01, '{"type":"echo",'),
      masked(0x89, 'p'),
      masked(0x00, '"id":1,'),
      masked(0x80, '"data":"é"}'),
    ];
    for (const byte of Buffer.concat(frames)) client.socket.write(Buffer.of(byte));
    expect(await client.frame()).toMatchObject({ opcode: 0xa, payload: Buffer.from('p') });
    const { payload } = await client.frame();
    expect(JSON.parse(payload.toString())).toEqual({ v: 1, type: 'echo_reply', id: 1, data: 'é' });
  });

  it('in many small fragments over MAX_MESSAGE_BYTES closes with 1009 before they are all there', async () => {
    await using client = await upgraded();
    client.socket.write(masked(0x01, 'x'));
    for (let n = 0; n < 1_000; n += 1) client.socket.write(masked(0x00, 'x'.repeat(120)));
    expect(await closeOf(client)).toEqual({ code: 1009, reason: 'Message size exceeds limit' });
  });

  it('in the middle of which the client vanishes leaves nothing', async () => {
    await using witness = await connect(server.url);
    const client = await upgraded();
    client.socket.write(declared(90_000n));
    client.socket.resetAndDestroy();
    await client.closed();
    expect(await witness.request('echo', 'undisturbed')).toMatchObject({ data: 'undisturbed' });
  });
});
