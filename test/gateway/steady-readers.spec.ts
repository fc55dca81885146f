import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { unsentBytes } from '../../src/socket/traffic.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const MIB = 1_048_576;
const LARGE = 'x'.repeat(8 * MIB);
const PORTION = 256 * 1024;

const sessionsOf = (server: TestServer) => [...server.app.get(SessionRegistry, { strict: false })];

/** Reads on, a portion at a time, and calls `between` after each, until the message is there. */
async function readSteadily(client: TestClient, between: () => Promise<void>): Promise<void> {
  const socket = Reflect.get(client.socket, '_socket') as Socket;
  for (let read = socket.bytesRead; client.unread.length === 0; read = socket.bytesRead) {
    client.socket.resume();
    await eventually('more is read', () => client.unread.length > 0 || socket.bytesRead > read + PORTION);
    client.socket.pause();
    await between();
  }
  client.socket.resume();
}

describe('a reader in the middle of one large message', () => {
  it.each(['plain', 'tls'])('is not cut off by heartbeats, its own pings and other messages (%s)', async (how) => {
    const certificate = await makeCertificate();
    using files = new CertificateFolder(certificate);
    await using server = await startTestServer({
      OUTBOUND_QUEUE_BYTES: String(MIB),
      HEARTBEAT_INTERVAL_MS: '50',
      HEARTBEAT_TIMEOUT_MS: '20000',
      CONTROL_FRAME_RATE: '0',
      ...(how === 'tls' ? files.environment : {}),
    });
    await using client = await connect(server.url, { ca: certificate.cert });
    client.send({ type: 'echo', id: 'large', data: LARGE });
    await eventually('it waits for its reader', () => (sessionsOf(server)[0]?.connection.waitingBytes ?? 0) > MIB);
    let pongs = 0;
    client.socket.on('pong', () => (pongs += 1));
    await readSteadily(client, async () => {
      client.socket.ping();
      client.send({ type: 'ping' });
      await new Promise((resolve) => setTimeout(resolve, 60));
    });
    expect((await client.next()).data).toHaveLength(LARGE.length);
    await eventually('a ping is answered', () => pongs > 0);
    expect(await client.request('echo', 'still here', 'e')).toBeDefined();
    expect(sessionsOf(server)).toHaveLength(1);
  });

  it('is not taken for gone while it reads, though its pong comes late', async () => {
    await using server = await startTestServer({
      HEARTBEAT_INTERVAL_MS: '0',
      OUTBOUND_QUEUE_BYTES: String(MIB),
    });
    await using client = await connect(server.url);
    client.send({ type: 'echo', id: 'large', data: LARGE });
    client.socket.pause();
    const waiting = (): number => sessionsOf(server)[0]?.connection.waitingBytes ?? 0;
    await eventually('it waits for its reader', () => waiting() > MIB);
    const connection = sessionsOf(server)[0]?.connection;
    if (connection === undefined) throw new Error('there is no session');
    const unsent = (): number => unsentBytes(Reflect.get(connection, 'raw') as Socket);
    const left = unsent();
    expect(left).toBeGreaterThan(0);
    const mark = connection.ping();
    client.socket.resume();
    await eventually('some of it is read', () => unsent() < left);
    connection.cutIfSilent(mark);
    expect(connection.isOpen).toBe(true);
    expect((await client.next()).data).toHaveLength(LARGE.length);
  });

  it('is taken for gone where it stops', async () => {
    await using server = await startTestServer({
      HEARTBEAT_INTERVAL_MS: '50',
      HEARTBEAT_TIMEOUT_MS: '500',
      HEARTBEAT_READ_RATE: '0',
      OUTBOUND_QUEUE_BYTES: String(MIB),
    });
    await using client = await connect(server.url);
    const before = await Scrape.of(server);
    client.send({ type: 'echo', id: 'large', data: LARGE });
    client.socket.pause();
    await eventually('its session is over', () => sessionsOf(server).length === 0);
    const after = await Scrape.of(server);
    expect(after.since(before, 'websocket_connections_closed_total{code="1006"}')).toBe(1);
    client.socket.resume();
    await once(client.socket, 'close');
  });
});
