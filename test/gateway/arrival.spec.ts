import { constants, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { heldHandler } from '../support/held-handler.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const BREACH = (reason: string): string => `websocket_breaches_total{reason="${reason}"}`;
const MASK = [0, 0, 0, 0];
const PING = 0x9;
const PONG = 0xa;

/** The head of a masked frame, whose payload is still to come. */
function head(first: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, 0x80 | length, ...MASK]);
  const bytes = Buffer.from([first, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, ...MASK]);
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

function frame(first: number, payload: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([head(first, bytes.length), bytes]);
}

async function upgraded({ port }: TestServer, extensions?: string): Promise<RawClient> {
  const headers = { Authorization: `Bearer ${mintToken()}`, 'Sec-WebSocket-Extensions': extensions };
  const client = await RawClient.upgrade(port, { headers });
  expect(await client.answer()).toMatchObject({ status: 101 });
  return client;
}

/** The close frame, behind whatever else comes. */
async function closeOf(client: RawClient): Promise<{ code: number; reason: string }> {
  for (;;) {
    const { opcode, payload } = await client.frame();
    if (opcode === 8) return { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
  }
}

/** The next message, behind pings. */
async function messageOf(client: RawClient): Promise<Buffer> {
  for (;;) {
    const { opcode, payload } = await client.frame();
    if (opcode === 1) return payload;
    expect(opcode).toBe(PING);
  }
}

/** Sends the pieces one after the other, round and round, until the connection ends. */
function trickle({ socket }: RawClient, ...pieces: Uint8Array[]): void {
  let position = 0;
  const timer = setInterval(() => socket.write(pieces[position++ % pieces.length] ?? ''), 20);
  socket.on('close', () => clearInterval(timer));
}

describe('a message that has begun', () => {
  const LATE = { code: 4408, reason: 'Message not complete in time' };
  const { feature, started, release } = heldHandler();
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ MESSAGE_TIMEOUT_MS: '500', MAX_PENDING_MESSAGES: '1' }, [feature]);
  });
  afterAll(() => server.close());

  it.each<[string, Buffer, Buffer[]]>([
    ['half a head and then nothing', Buffer.of(0x81), []],
    ['a frame and then nothing', head(0x81, 5), []],
    ['a fragment and then nothing', frame(0x01, '{'), []],
    ['a frame byte by byte', head(0x81, 100_000), [Buffer.from('x')]],
    ['one fragment of a byte after the other', frame(0x01, '{'), [frame(0x00, ' ')]],
    ['one empty fragment after the other', frame(0x01), [frame(0x00)]],
    ['fragments and pings between them', frame(0x01, '{'), [frame(0x89), frame(0x00, ' ')]],
    ['a ping byte by byte', head(0x89, 125), [Buffer.from('x')]],
  ])('with %s is not waited for: 4408, and counted', async (_how, first, then) => {
    const earlier = await Scrape.of(server);
    await using client = await upgraded(server);
    client.socket.write(first);
    if (then.length > 0) trickle(client, ...then);
    expect(await closeOf(client)).toEqual(LATE);
    client.socket.end();
    await client.closed();
    expect((await Scrape.of(server)).since(earlier, BREACH('message_timeout'))).toBe(1);
    expect((await Scrape.of(server)).since(earlier, 'websocket_connections_closed_total{code="4408"}')).toBe(1);
  });

  it('and is followed by others is each its own: who is always in the middle of one stays', async () => {
    using clock = new StoppedClock();
    await using late = await upgraded(server);
    await using client = await upgraded(server);
    late.socket.write(head(0x81, 5));
    const message = frame(0x81, '{"type":"ping","id":1}');
    client.socket.write(message.subarray(0, 9));
    const isClosed = closeOf(late);
    const seen = { hasGone: false };
    void isClosed.then(() => (seen.hasGone = true));
    while (!seen.hasGone) {
      // Each write ends a message and begins the next.
      client.socket.write(Buffer.concat([message.subarray(9), message.subarray(0, 9)]));
      expect(JSON.parse((await messageOf(client)).toString())).toMatchObject({ type: 'ping_reply' });
      clock.pass(5);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await isClosed).toEqual(LATE);
    client.socket.write(message.subarray(9));
    expect(JSON.parse((await messageOf(client)).toString())).toMatchObject({ type: 'ping_reply' });
  });

  it('is waited for while it is the server that does not read', async () => {
    await using late = await upgraded(server);
    await using busy = await connect(server.url);
    for (let id = 0; id < 6; id += 1) busy.send({ type: 'hold', id, data: 'x'.repeat(100_000) });
    await started;
    late.socket.write(head(0x81, 5));
    expect(await closeOf(late)).toEqual(LATE);
    release();
    for (let id = 0; id < 6; id += 1) expect(await busy.next()).toMatchObject({ type: 'hold_reply', id });
  });

  it('says nothing of one who sends nothing', async () => {
    await using quiet = await upgraded(server);
    await using late = await upgraded(server);
    late.socket.write(head(0x81, 5));
    expect(await closeOf(late)).toEqual(LATE);
    quiet.send({ type: 'echo', id: 1, data: 'here' });
    expect(JSON.parse((await messageOf(quiet)).toString())).toMatchObject({ data: 'here' });
  });
});

describe('a flood', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      MAX_MESSAGE_FRAGMENTS: '100',
      MAX_MESSAGE_BYTES: '65536',
      HEARTBEAT_INTERVAL_MS: '0',
    });
  });
  afterAll(() => server.close());

  const many = (count: number, one: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => one));
  const PIECES = { code: 1008, reason: 'Message in too many pieces' };
  const CONTROLS = { code: 1008, reason: 'Too many pings or pongs' };

  it.each<[string, Buffer, string, object]>([
    ['empty fragments', Buffer.concat([frame(0x01), many(5_000, frame(0x00))]), 'too_many_fragments', PIECES],
    ['fragments', Buffer.concat([frame(0x01, '{'), many(5_000, frame(0x00, ' '))]), 'too_many_fragments', PIECES],
    ['pings', many(5_000, frame(0x89, 'p')), 'too_many_control_frames', CONTROLS],
    ['pongs', many(5_000, frame(0x8a)), 'too_many_control_frames', CONTROLS],
    [
      'pings between fragments',
      Buffer.concat([frame(0x01, '{'), many(5_000, frame(0x89))]),
      'too_many_control_frames',
      CONTROLS,
    ],
    [
      'empty messages',
      many(5_000, frame(0x81)),
      'too_many_protocol_errors',
      { code: 1008, reason: 'Too many protocol errors' },
    ],
  ])('of %s closes with 1008, is counted, and read no further', async (_what, bytes, reason, closed) => {
    const earlier = await Scrape.of(server);
    await using witness = await connect(server.url);
    await using client = await upgraded(server);
    client.socket.write(bytes);
    expect(await closeOf(client)).toEqual(closed);
    client.socket.write(frame(0x81, '{"type":"echo"}'));
    client.socket.end();
    await client.closed();
    expect(await witness.request('echo', 'undisturbed')).toMatchObject({ data: 'undisturbed' });
    expect((await Scrape.of(server)).since(earlier, BREACH(reason))).toBe(1);
  });

  it('of pings is answered as far as the rate goes, in the order of what else was asked', async () => {
    await using client = await upgraded(server);
    client.socket.write(Buffer.concat([frame(0x89, 'a'), frame(0x81, '{"type":"echo","id":1}'), frame(0x89, 'b')]));
    expect(await client.frame()).toEqual({ opcode: PONG, payload: Buffer.from('a') });
    expect(await client.frame()).toMatchObject({ opcode: 1 });
    expect(await client.frame()).toEqual({ opcode: PONG, payload: Buffer.from('b') });
  });

  it('of pings is no flood where CONTROL_FRAME_RATE is 0', async () => {
    await using lax = await startTestServer({ CONTROL_FRAME_RATE: '0', HEARTBEAT_INTERVAL_MS: '0' });
    await using client = await upgraded(lax);
    client.socket.write(many(2_000, frame(0x89)));
    for (let pongs = 0; pongs < 2_000; pongs += 1) expect((await client.frame()).opcode).toBe(PONG);
  });

  it('of pings of the server itself is none of the client’s', async () => {
    await using eager = await startTestServer({ HEARTBEAT_INTERVAL_MS: '40', HEARTBEAT_TIMEOUT_MS: '10000' });
    await using client = await upgraded(eager);
    for (let pings = 0; pings < 5; pings += 1) expect((await client.frame()).opcode).toBe(PING);
    client.send(Buffer.alloc(0), PONG);
    client.send({ type: 'echo', id: 1 });
    for (;;) if ((await client.frame()).opcode === 1) return;
  });
});

describe('what inflates', () => {
  const LIMIT = 1_048_576;
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ COMPRESS_FROM_BYTES: '1024', MAX_MESSAGE_BYTES: String(LIMIT) });
  });
  afterAll(() => server.close());

  /** Deflated blocks that are a thousand times as long when they are inflated. */
  function bomb(bytes: number): Buffer {
    const block = deflateRawSync(Buffer.alloc(8 * LIMIT), { finishFlush: constants.Z_FULL_FLUSH });
    return Buffer.concat(Array.from({ length: Math.floor(bytes / block.length) }, () => block));
  }

  it('beyond MAX_MESSAGE_BYTES closes with 1009, is counted, and takes no memory', async () => {
    const earlier = await Scrape.of(server);
    await using witness = await connect(server.url);
    const charge = bomb(900_000);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers - before)), 5);
    for (let round = 0; round < 5; round += 1) {
      await using client = await upgraded(server, 'permessage-deflate');
      // It would be 900 MB.
      client.socket.write(Buffer.concat([head(0xc1, charge.length), charge]));
      expect(await closeOf(client)).toEqual({ code: 1009, reason: 'Message size exceeds limit' });
    }
    clearInterval(watch);
    expect(most).toBeLessThan(64 * LIMIT);
    expect((await Scrape.of(server)).since(earlier, BREACH('message_too_large'))).toBe(5);
    expect(await witness.request('echo', 'undisturbed')).toMatchObject({ data: 'undisturbed' });
  });

  it('beyond it in fragments closes with 1009', async () => {
    await using client = await upgraded(server, 'permessage-deflate');
    const half = deflateRawSync(Buffer.alloc(LIMIT / 2 + 1, 'x'), { finishFlush: constants.Z_SYNC_FLUSH });
    client.socket.write(Buffer.concat([frame(0x41, half.subarray(0, 100)), frame(0x00, half.subarray(100))]));
    client.socket.write(Buffer.concat([frame(0x00, half), frame(0x80)]));
    expect(await closeOf(client)).toMatchObject({ code: 1009 });
  });

  it('not at all closes with 1007, and says what it was', async () => {
    const earlier = await Scrape.of(server);
    await using client = await upgraded(server, 'permessage-deflate');
    client.socket.write(frame(0xc1, Buffer.from('ffffffff', 'hex')));
    expect(await closeOf(client)).toEqual({ code: 1007, reason: 'Invalid compressed data' });
    expect((await Scrape.of(server)).since(earlier, BREACH('invalid_compression'))).toBe(1);
  });
});

describe('the incomplete messages of all clients', () => {
  it('have a budget, beyond which the largest go with 1013 and the others stay', async () => {
    await using server = await startTestServer({
      MAX_MESSAGE_BYTES: '1000000',
      INBOUND_BUDGET_BYTES: '2000000',
      MESSAGE_TIMEOUT_MS: '60000',
    });
    const earlier = await Scrape.of(server);
    await using small = await upgraded(server);
    small.socket.write(Buffer.concat([head(0x81, 30), Buffer.from('{"type":"echo"')]));
    const large = await Promise.all(Array.from({ length: 4 }, () => upgraded(server)));
    for (const { socket } of large) socket.write(Buffer.concat([head(0x81, 999_999), Buffer.alloc(900_000, 'x')]));

    const first = await Promise.race(large.map(closeOf));
    expect(first).toEqual({ code: 1013, reason: 'Too much in arrival, try again later' });
    const open = (): number => server.app.get(SessionRegistry, { strict: false }).size;
    // Also those that are told and do not go, within the next looks.
    await eventually('what is left fits', async () => {
      return open() === 3 && (await Scrape.of(server)).value('websocket_inbound_bytes') <= 2_000_000;
    });
    expect((await Scrape.of(server)).since(earlier, BREACH('inbound_overflow'))).toBe(2);
    small.socket.write(',"id":"x","a":1}');
    expect(JSON.parse((await messageOf(small)).toString())).toMatchObject({ id: 'x' });
    for (const { socket } of large) socket.destroy();
  });
});
