import { Injectable, UseInterceptors, type CallHandler, type NestInterceptor } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { connect as connectTcp, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { constants, deflateRawSync } from 'node:zlib';
import { defer, type Observable } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { SessionTermination } from '../../src/access/session-termination.js';
import { Revocations } from '../../src/access/lists/revocations.js';
import { Drain } from '../../src/lifecycle/drain.js';
import { ExpirySweep } from '../../src/sessions/expiry-sweep.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { gate, type Gate } from '../support/gate.js';
import { Scrape } from '../support/scrape.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';
import { WIRES } from '../support/wires.js';

let handled: number[] = [];
let door: Gate = gate();
beforeEach(() => {
  handled = [];
  door = gate();
});

/** Goes on in a later turn, and has the handler called only when somebody subscribes. */
@Injectable()
class Later implements NestInterceptor {
  async intercept(_context: unknown, next: CallHandler): Promise<Observable<unknown>> {
    await nextTurn();
    return defer(() => next.handle());
  }
}

@WebSocketGateway()
class RecordGateway {
  @SubscribeMessage('record')
  async record(@MessageBody() n: number): Promise<number> {
    await nextTurn();
    handled.push(n);
    return n;
  }

  @SubscribeMessage('intercepted')
  @UseInterceptors(Later, Later)
  async intercepted(@MessageBody() n: number): Promise<number> {
    return this.record(n);
  }

  /** Is answered when the test opens the door. */
  @SubscribeMessage('hold')
  async hold(): Promise<void> {
    await door.opened;
  }
}

const start = (environment = {}): Promise<TestServer> => startTestServer(environment, [feature([RecordGateway])]);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const sessionsOf = (server: TestServer) => server.app.get(SessionRegistry, { strict: false });
const ended = (server: TestServer) => eventually('its session is over', () => sessionsOf(server).size === 0);
const UNHANDLED = (reason: string): string => `gatehouse_messages_unhandled_total{reason="${reason}"}`;

const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const FIN = 0x80;
const COMPRESSED = 0x40;

/** A masked frame; a mask of zeros leaves the payload as it is. */
function frame(head: number, payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  const length = bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from([head, ...length, 0, 0, 0, 0]), bytes]);
}

const text = (message: object): Buffer => frame(FIN | TEXT, JSON.stringify(message));
const records = (count: number, type = 'record'): Buffer[] => numbers(count).map((n) => text({ type, id: n, data: n }));
const closeFrame = frame(FIN | CLOSE, Buffer.from([0x03, 0xe8]));

interface Door {
  readonly socket?: Socket;
  readonly protocol?: string;
  readonly extensions?: string;
}

/** A socket that has been upgraded: what it writes is frames. */
async function upgraded({ port }: TestServer, { socket, protocol, extensions }: Door = {}): Promise<Socket> {
  const opened = socket ?? connectTcp(port, '127.0.0.1');
  opened.on('error', () => {});
  const lines = [
    'GET /ws HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    `Authorization: Bearer ${mintToken()}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ...(extensions === undefined ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
  ];
  opened.write(`${lines.join('\r\n')}\r\n\r\n`);
  await new Promise((resolve) => opened.once('data', resolve));
  opened.resume();
  return opened;
}

/** Writes it all at once, so that it comes in as few segments as the network can do it with. */
const write = (socket: Socket, frames: readonly Buffer[]): void => {
  socket.write(Buffer.concat(frames));
};

describe('what a client sends before it closes is handled, in order', () => {
  it.each([
    ['a close frame', 'record', 5],
    ['a close frame', 'record', 300],
    ['a close frame', 'intercepted', 5],
    ['a close frame', 'intercepted', 1],
    ['a FIN', 'record', 300],
    ['a FIN', 'intercepted', 5],
  ])('with %s: every %s of %d in one write', async (how, type, count) => {
    await using server = await start();
    const socket = await upgraded(server);
    if (how === 'a FIN') socket.end(Buffer.concat(records(count, type)));
    else write(socket, [...records(count, type), closeFrame]);
    await ended(server);
    expect(handled).toEqual(numbers(count));
    socket.destroy();
  });

  it.each(WIRES.map((wire) => [wire.subprotocol, wire] as const))('in %s', async (protocol, wire) => {
    await using server = await start();
    for (const end of [closeFrame, undefined]) {
      handled = [];
      const socket = await upgraded(server, { protocol });
      const messages = numbers(70).map((n) => wire.write({ type: 'record', id: n, data: n }));
      const frames = messages.map((message) => frame(FIN | (typeof message === 'string' ? TEXT : BINARY), message));
      if (end) write(socket, [...frames, end]);
      else socket.end(Buffer.concat(frames));
      await ended(server);
      expect(handled).toEqual(numbers(70));
      socket.destroy();
    }
  });

  it('compressed, which is inflated only after the close has come', async () => {
    await using server = await start({ COMPRESS_FROM_BYTES: '100' });
    for (const end of [closeFrame, undefined]) {
      handled = [];
      const socket = await upgraded(server, { extensions: 'permessage-deflate' });
      const frames = numbers(40).map((n) => {
        const deflated = deflateRawSync(JSON.stringify({ type: 'record', id: n, data: n }), {
          finishFlush: constants.Z_SYNC_FLUSH,
        });
        return frame(FIN | COMPRESSED | TEXT, deflated.subarray(0, -4));
      });
      if (end) write(socket, [...frames, end]);
      else socket.end(Buffer.concat(frames));
      await ended(server);
      expect(handled).toEqual(numbers(40));
      socket.destroy();
    }
  });

  it('in fragments; one that is not complete is not handled', async () => {
    await using server = await start();
    const socket = await upgraded(server);
    const split = (n: number): Buffer[] => {
      const body = JSON.stringify({ type: 'record', id: n, data: n });
      return [frame(TEXT, body.slice(0, 9)), frame(FIN, body.slice(9))];
    };
    socket.end(Buffer.concat([...numbers(10).flatMap(split), frame(TEXT, '{"type":"rec')]));
    await ended(server);
    expect(handled).toEqual(numbers(10));
  });

  it('over TLS', async () => {
    const certificate = await makeCertificate();
    using files = new CertificateFolder(certificate);
    await using server = await startTestServer(files.environment, [feature([RecordGateway])]);
    for (const end of [closeFrame, undefined]) {
      handled = [];
      const tls = connectTls({ port: server.port, host: '127.0.0.1', ca: certificate.cert });
      const socket = await upgraded(server, { socket: tls });
      if (end) write(socket, [...records(70), end]);
      else socket.end(Buffer.concat(records(70)));
      await ended(server);
      expect(handled).toEqual(numbers(70));
      socket.destroy();
    }
  });

  it('by a program that publishes, closes and is gone', async () => {
    await using server = await start();
    await using reader = await connect(server.url, { claims: { sub: 'bob' } });
    await reader.request('subscribe', { channel: 'room:x' });
    const writer = await connect(server.url);
    writer.send({ type: 'subscribe', id: 's', data: { channel: 'room:x' } });
    for (const n of numbers(5)) writer.send({ type: 'publish', id: n, data: { channel: 'room:x', data: n } });
    writer.socket.close(1000);
    for (const n of numbers(5)) {
      let message = await reader.next();
      while (message.type !== 'message') message = await reader.next();
      expect(message).toMatchObject({ data: n });
    }
    expect(await writer.closed).toMatchObject({ code: 1000 });
  });

  it('in throttle mode at the rate, and with nothing lost', async () => {
    await using server = await start({ RATE_LIMIT_MODE: 'throttle', MESSAGE_RATE: '100', MESSAGE_BURST: '1' });
    const socket = await upgraded(server);
    write(socket, [...records(40), closeFrame]);
    await ended(server);
    expect(handled).toEqual(numbers(40));
  });

  it('though its socket is reset behind the close frame', async () => {
    await using server = await start();
    const socket = await upgraded(server);
    write(socket, [text({ type: 'hold' }), ...records(20), closeFrame]);
    await eventually('the close frame has come', () =>
      [...sessionsOf(server)].every(({ connection }) => !connection.isOpen),
    );
    socket.resetAndDestroy();
    door.open();
    await ended(server);
    expect(handled).toEqual(numbers(20));
  });

  it('and drops the answers that it cannot get any more, without a line in the log', async () => {
    await using server = await start();
    const earlier = await Scrape.of(server);
    const socket = await upgraded(server);
    write(socket, [...records(50), closeFrame]);
    await ended(server);
    expect((await Scrape.of(server)).since(earlier, 'gatehouse_answers_unsent_total')).toBeGreaterThan(0);
    expect(server.logLines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  it('gets what was answered before its FIN', async () => {
    await using server = await start();
    const socket = await upgraded(server);
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.end(Buffer.concat(numbers(3).map((n) => text({ type: 'echo', id: n }))));
    await ended(server);
    await eventually('the server has ended', () => socket.readableEnded);
    expect(received.match(/echo_reply/g)).toHaveLength(3);
  });
});

describe('what waits when the server closes is not handled, and counted', () => {
  const expel = (server: TestServer) => server.app.get(SessionTermination, { strict: false }).user('alice');
  const revoke = (server: TestServer) =>
    server.app.get(Revocations, { strict: false }).add({
      kind: 'user',
      key: 'alice',
      issuedBefore: Date.now() + 60_000,
      until: Date.now() + 60_000,
      reason: '',
    });
  const expire = async (server: TestServer) =>
    server.app.get(ExpirySweep, { strict: false }).sweep(Date.now() + 7_200_000);
  const drainOut = (server: TestServer) => server.app.get(Drain, { strict: false }).complete();

  it.each([
    ['expels the user', expel, []],
    ['expels the user, though the client has closed by itself', expel, [closeFrame]],
    ['revokes the token', revoke, []],
    ['revokes the token, though the client has closed by itself', revoke, [closeFrame]],
    ['ends it for a token that has expired, though the client has closed by itself', expire, [closeFrame]],
    ['drains, and the time is up, though the client has closed by itself', drainOut, [closeFrame]],
  ] as const)('as it %s', async (_what, act, end) => {
    await using server = await start({ DRAIN_TIMEOUT_MS: '400' });
    const earlier = await Scrape.of(server);
    const socket = await upgraded(server);
    write(socket, [text({ type: 'hold' }), ...records(5), ...end]);
    await eventually('all have come', () => [...sessionsOf(server)][0]?.connection.unhandledMessages === 5);
    await act(server);
    socket.end();
    await ended(server);
    door.open();
    await nextTurn();
    expect(handled).toEqual([]);
    expect((await Scrape.of(server)).since(earlier, UNHANDLED('closed_by_server'))).toBe(5);
  });

  it('as the client breaks a rule behind them', async () => {
    await using server = await start();
    const earlier = await Scrape.of(server);
    const socket = await upgraded(server);
    write(socket, [text({ type: 'hold' }), ...records(5), frame(FIN | 0x3, 'reserved')]);
    await ended(server);
    expect(handled).toEqual([]);
    expect((await Scrape.of(server)).since(earlier, UNHANDLED('closed_by_server'))).toBe(5);
    door.open();
  });

  it('as the connection breaks without a close', async () => {
    await using server = await start();
    const earlier = await Scrape.of(server);
    const socket = await upgraded(server);
    write(socket, [text({ type: 'hold' }), ...records(5)]);
    await eventually('all have come', () => [...sessionsOf(server)][0]?.connection.unhandledMessages === 5);
    socket.resetAndDestroy();
    await ended(server);
    door.open();
    await nextTurn();
    expect(handled).toEqual([]);
    expect((await Scrape.of(server)).since(earlier, UNHANDLED('connection_lost'))).toBe(5);
  });
});

describe('a drain', () => {
  it('has what came before it handled, also for a client that has closed, and counts what comes after', async () => {
    await using server = await start();
    const earlier = await Scrape.of(server);
    const [leaving, staying] = [await upgraded(server), await upgraded(server)];
    write(leaving, [text({ type: 'hold' }), ...records(5), closeFrame]);
    write(staying, [text({ type: 'hold' })]);
    await eventually('all have come', () => {
      const sessions = [...sessionsOf(server)];
      return (
        sessions.some(({ connection }) => connection.unhandledMessages === 5) &&
        sessions.every(({ messagesReceived }) => messagesReceived > 0)
      );
    });
    server.app.get(Drain, { strict: false }).begin();
    write(staying, records(3));
    await eventually(
      'those are counted',
      async () => (await Scrape.of(server)).since(earlier, UNHANDLED('draining')) === 3,
    );
    door.open();
    staying.end();
    await ended(server);
    expect(handled).toEqual(numbers(5));
  });
});
