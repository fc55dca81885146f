import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MALFORMED, MARK, type Malformed } from '../support/malformed.js';
import { SOAK_TIMES } from '../support/soak.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { connectWith, WIRES } from '../support/wires.js';

const ROUNDS = 10;
const MESSAGES = 200 * SOAK_TIMES;

const wireOf = ({ subprotocol }: Malformed) => {
  const wire = WIRES.find((candidate) => candidate.subprotocol === subprotocol);
  if (wire === undefined) throw new Error(`no such subprotocol: ${subprotocol}`);
  return wire;
};

describe('a message that is no good', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it.each(MALFORMED)('$subprotocol: $what is answered with $code', async (malformed) => {
    const wire = wireOf(malformed);
    await using client = await connectWith(wire, server.url);
    await using witness = await connect(server.url);
    client.client.send(malformed.bytes);
    const error = await client.next();
    expect(error).toMatchObject({ v: 1, type: 'error', code: malformed.code, message: expect.any(String) as string });
    expect(error['id']).toBe(malformed.id);
    expect(JSON.stringify(error)).not.toContain(MARK);
    expect(await client.request('echo', 'goes on', 'next')).toMatchObject({ id: 'next', data: 'goes on' });
    expect(await witness.request('echo', 'undisturbed')).toMatchObject({ data: 'undisturbed' });
  });

  it('comes in more than sixty kinds', () => {
    const kinds = new Set(MALFORMED.map(({ subprotocol, what }) => `${subprotocol} ${what}`));
    expect(kinds.size).toBe(MALFORMED.length);
    expect(kinds.size).toBeGreaterThan(90);
  });
});

describe('malformed messages in a row', () => {
  it('close with 1008 when there are MAX_PROTOCOL_ERRORS of them; each is answered', async () => {
    await using server = await startTestServer({ MAX_PROTOCOL_ERRORS: '5' });
    await using client = await connect(server.url);
    for (let n = 0; n < 12; n += 1) client.send('{');
    expect(await client.closed).toEqual({ code: 1008, reason: 'Too many protocol errors' });
    expect(client.unread.map(({ code }) => code)).toEqual(Array(5).fill('INVALID_MESSAGE_FORMAT'));
  });

  it('begin anew after a good message, also one that is refused', async () => {
    await using server = await startTestServer({ MAX_PROTOCOL_ERRORS: '3' });
    await using client = await connect(server.url);
    for (const good of [
      '{"type":"echo"}',
      '{"type":"nobody.knows"}',
      '{"v":2,"type":"echo"}',
      '{"type":"send_message"}',
    ]) {
      client.send('{');
      client.send('{');
      client.send(good);
    }
    expect(await client.request('echo', 1, 'end').then(() => client.next())).toMatchObject({ type: 'error' });
    client.send('{');
    client.send('{');
    client.send('{');
    expect(await client.closed).toMatchObject({ code: 1008 });
  });

  it('are not counted where MAX_PROTOCOL_ERRORS is 0', async () => {
    await using server = await startTestServer({ MAX_PROTOCOL_ERRORS: '0' });
    await using client = await connect(server.url);
    for (let n = 0; n < 100; n += 1) expect(await client.request('')).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' });
  });

  it('of a version that is not supported do not close: an old server may be asked again', async () => {
    await using server = await startTestServer({ MAX_PROTOCOL_ERRORS: '2' });
    await using client = await connect(server.url);
    for (let id = 0; id < 5; id += 1) {
      client.send({ v: 2, type: 'echo', id });
      expect(await client.next()).toMatchObject({ id, code: 'UNSUPPORTED_VERSION' });
    }
  });
});

describe(`${MESSAGES} malformed messages`, () => {
  it('in random order over many connections leave an honest client answered and the memory flat', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    process.stdout.write(`seed of the malformed messages: ${seed}\n`);
    const random = generator(seed);
    await using server = await startTestServer({ MAX_PROTOCOL_ERRORS: '0' });
    await using honest = await connect(server.url);
    const memoryAfter: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let n = 0; n < MESSAGES / ROUNDS; n += 1) {
        const malformed = MALFORMED[Math.floor(random() * MALFORMED.length)] as Malformed;
        await using client = await connectWith(wireOf(malformed), server.url);
        client.client.send(malformed.bytes);
        expect(await client.next(), `seed ${seed}: ${malformed.what}`).toMatchObject({ code: malformed.code });
      }
      expect(await honest.request('echo', round, round)).toMatchObject({ id: round, data: round });
      memoryAfter.push(process.memoryUsage().heapUsed);
    }
    const growth = (memoryAfter.at(-1) ?? 0) - (memoryAfter[2] ?? 0);
    expect(growth, `seed ${seed}`).toBeLessThan(64 * 1024 * 1024);
  });
});

/** Mulberry32: a seed makes the same run again. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
