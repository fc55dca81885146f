import { expect } from 'vitest';
import { ERRORS, CLOSES } from '@gatehouse/protocol';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { InboundBudget } from '../../src/socket/inbound-budget.js';
import { OutboundContext } from '../../src/socket/outbound-context.js';
import { eventually } from '../support/eventually.js';
import { RawClient, type Frame } from '../support/raw-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';
import { connectWith, WIRES, type Wire, type WireClient } from '../support/wires.js';

/** How long to wait for an answer that may never come, as where the bytes end in the middle of a frame. */
const PATIENCE_MS = 25;
const PROBE = 'probe';
const OP = { close: 0x8, ping: 0x9, pong: 0xa } as const;
const OWN_CLOSES = new Set<number>(Object.values(CLOSES).map(({ code }) => code));

/** A server under attack, with an honest client of each codec that must not notice. */
export class Victim implements AsyncDisposable {
  private turn = 0;

  private constructor(
    readonly server: TestServer,
    private readonly honest: readonly WireClient[],
  ) {}

  static async start(): Promise<Victim> {
    const server = await startTestServer({
      MAX_MESSAGE_BYTES: '65536',
      // Offered, so that compressed frames are read; too much for any answer.
      COMPRESS_FROM_BYTES: '1000000',
      HEARTBEAT_INTERVAL_MS: '0',
      MAX_HTTP_CONNECTIONS_PER_IP: '0',
      UPGRADE_TIMEOUT_MS: '5000',
    });
    const claims = { sub: 'honest' };
    return new Victim(server, await Promise.all(WIRES.map((wire) => connectWith(wire, server.url, { claims }))));
  }

  /** Sends bytes as a signed-in client of a codec, in segments, and judges all that is answered. */
  async attack(wire: Wire, segments: readonly Uint8Array[], deflate = false): Promise<void> {
    const headers = {
      Authorization: `Bearer ${mintToken({ sub: 'mallory' })}`,
      'Sec-WebSocket-Protocol': wire.subprotocol,
      'Sec-WebSocket-Extensions': deflate ? 'permessage-deflate' : undefined,
    };
    await using client = await RawClient.upgrade(this.server.port, { headers });
    expect((await client.answer()).status).toBe(101);
    for (const segment of segments) await write(client, segment);
    client.send(Buffer.from(PROBE), OP.ping);
    await judgeAnswers(client, wire);
  }

  /** Sends bytes in the place of a request. Resolves with the status of the answer, 0 where there is none. */
  async knock(bytes: Uint8Array): Promise<number> {
    await using client = await RawClient.connect(this.server.port);
    client.socket.end(bytes);
    // Awaited here, for the client goes as soon as this returns.
    const status = await client.answer().then(
      (answer) => answer.status,
      () => 0,
    );
    return status;
  }

  /** The honest clients, one after the other, get their echoes. */
  async serves(): Promise<void> {
    const turn = (this.turn += 1);
    const client = this.honest[turn % this.honest.length];
    const id = `honest-${turn}`;
    client?.send({ type: 'echo', id, data: { turn } });
    for (;;) {
      const message = await client?.next();
      if (message?.id !== id) continue;
      expect(message).toEqual({ v: 1, type: 'echo_reply', id, data: { turn } });
      return;
    }
  }

  /** Nothing of any attack is left, and no handler has failed. */
  async hasRecovered(): Promise<void> {
    const { app, logLines } = this.server;
    const sessions = app.get(SessionRegistry, { strict: false });
    const { budget } = app.get(OutboundContext, { strict: false });
    const arrivals = app.get(InboundBudget, { strict: false });
    await eventually(
      'only the honest are left',
      () => sessions.size === this.honest.length && budget.waiting === 0 && arrivals.bytes === 0,
    );
    expect(logLines.filter(({ level }) => typeof level === 'number' && level >= 50)).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.honest) await client[Symbol.asyncDispose]();
    await this.server.close();
  }
}

/** One segment a read of the server, as far as the system allows. */
async function write({ socket }: RawClient, segment: Uint8Array): Promise<void> {
  if (socket.destroyed) return;
  socket.write(segment);
  await new Promise((resolve) => setImmediate(resolve));
}

/** Every answer is an envelope of the codec or a control frame, and every error and close one of the registries. */
async function judgeAnswers(client: RawClient, wire: Wire): Promise<void> {
  for (;;) {
    const frame = await next(client);
    if (frame === undefined) return;
    const { opcode, payload } = frame;
    if (opcode === OP.close) return judgeClose(payload);
    if (opcode === OP.pong) {
      if (payload.toString() === PROBE) return;
      continue;
    }
    judgeMessage(frame, wire);
  }
}

/** Undefined where nothing comes, or nothing any more. */
async function next(client: RawClient): Promise<Frame | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const nothing = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  try {
    return await Promise.race([client.frame().catch(() => undefined), nothing]);
  } finally {
    clearTimeout(timer);
  }
}

function judgeClose(payload: Buffer): void {
  // Without a code, or with one of the client's own that came back.
  if (payload.length === 0) return;
  const code = payload.readUInt16BE(0);
  const isLegal = OWN_CLOSES.has(code) || (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
  expect(isLegal, `close code ${code}`).toBe(true);
}

function judgeMessage({ opcode, payload }: Frame, wire: Wire): void {
  const isText = wire.subprotocol === 'v1.json';
  expect(opcode).toBe(isText ? 0x1 : 0x2);
  const message = isText
    ? (JSON.parse(payload.toString()) as Record<string, unknown>)
    : wire.read({ type: 'binary', bytes: payload });
  expect(message).toMatchObject({ v: 1, type: expect.any(String) as string });
  if (message.type !== 'error') return;
  expect(Object.keys(ERRORS)).toContain(message['code']);
  expect(message['code']).not.toBe('INTERNAL_ERROR');
}
