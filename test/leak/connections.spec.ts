import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ConnectionLimits } from '../../src/access/limits/connection-limits.js';
import { ExpirySweep } from '../../src/sessions/expiry-sweep.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { Heartbeat } from '../../src/socket/heartbeat.js';
import { OutboundContext } from '../../src/socket/outbound-context.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const MEGABYTE = 1_048_576;
/** More find smaller leaks, and take longer: `npm run test:soak` asks for five thousand. */
const CLIENTS = Number(process.env.LEAK_CLIENTS ?? 1_000);
const GOOD = { headers: { Authorization: `Bearer ${mintToken()}` } };

/** What a client may do to a server between coming and going. */
const VISITS: ((port: number) => Promise<void>)[] = [
  async (port) => {
    await using client = await RawClient.upgrade(port, GOOD);
    await client.answer();
    client.send({ type: 'echo', id: 1, data: 'x' });
    await client.frame();
    client.send(Buffer.from([0x03, 0xe8]), 0x8);
    await client.closed();
  },
  async (port) => {
    await using client = await RawClient.upgrade(port, GOOD);
    await client.answer();
    client.socket.resetAndDestroy();
  },
  // Gone before the answer to the handshake comes.
  async (port) => (await RawClient.upgrade(port, GOOD))[Symbol.asyncDispose](),
  // Gone in the middle of the request.
  async (port) => {
    await using client = await RawClient.connect(port);
    client.socket.write('GET /ws HTTP/1.1\r\nUpgrade: webso');
  },
  async (port) => {
    await using refused = await RawClient.upgrade(port);
    await refused.outcome();
    refused.socket.end();
    await refused.closed();
  },
  async (port) => {
    await using refused = await RawClient.upgrade(port, { path: '/elsewhere' });
    await refused.outcome();
  },
  // Breaks the protocol with a frame that is not masked.
  async (port) => {
    await using client = await RawClient.upgrade(port, GOOD);
    await client.answer();
    client.socket.write(Buffer.from('8100', 'hex'));
    await client.closed();
  },
  // Ends its half of the connection, and says nothing.
  async (port) => {
    await using client = await RawClient.upgrade(port, GOOD);
    await client.answer();
    client.socket.end();
    await client.closed();
  },
];

async function visitInBatches(port: number, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    const batch = Array.from({ length: Math.ceil(100 / VISITS.length) }, () => VISITS).flat();
    await Promise.all(batch.map((visit) => visit(port)));
  }
}

/** The sizes of everything that grows with connections; private parts are read because that they empty is the promise. */
function leftOvers({ app }: TestServer): Record<string, number> {
  const get = <T>(token: abstract new (...args: never[]) => T): T => app.get(token, { strict: false });
  const sessions = get(SessionRegistry);
  const index = sessions as unknown as Record<'byUser' | 'byAddress', { readonly size: number }>;
  const limits = get(ConnectionLimits) as unknown as {
    readonly taken: number;
    readonly pending: number;
    readonly addresses: { readonly connected: Map<string, unknown> };
  };
  const { buckets } = get(ExpirySweep) as unknown as { readonly buckets: Map<number, unknown> };
  const { slots } = get(Heartbeat) as unknown as { readonly slots: Set<unknown>[] };
  const { budget } = app.get(OutboundContext, { strict: false });
  return {
    sessions: sessions.size,
    iterated: [...sessions].length,
    users: index.byUser.size,
    addresses: index.byAddress.size,
    placesTaken: limits.taken,
    upgradesPending: limits.pending,
    addressesConnected: limits.addresses.connected.size,
    expiryBuckets: buckets.size,
    heartbeatSlots: slots.reduce((sum, { size }) => sum + size, 0),
    budgetWaiting: budget.waiting,
    blockedQueues: budget.blockedQueues,
  };
}

function collectedHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) collect();
  return process.memoryUsage().heapUsed;
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /^TCP(Socket|Server)?Wrap$/.test(name)).length;
}

describe('clients that come and go', () => {
  it('leave nothing behind', { timeout: 600_000 }, async () => {
    await using server = await startTestServer({
      LOG_LEVEL: 'silent',
      HEARTBEAT_INTERVAL_MS: '25000',
      HEARTBEAT_TIMEOUT_MS: '1000',
    });
    const isEmpty = (): boolean => Object.values(leftOvers(server)).every((count) => count === 0);
    // The first fill caches and let the compiler do its work.
    await visitInBatches(server.port, 500);
    await eventually('the first are gone', isEmpty);
    const socketsBefore = openSockets();
    const heapBefore = collectedHeap();

    await visitInBatches(server.port, CLIENTS);
    await eventually('all are gone', isEmpty).catch(() => expect(leftOvers(server)).toEqual({}));
    await eventually('their sockets are closed', () => openSockets() <= socketsBefore);
    // Of a thousand clients 2 KB each, which is less than a session; of five thousand 400 bytes.
    expect((collectedHeap() - heapBefore) / MEGABYTE).toBeLessThan(2);
  });
});

describe('a client that is connected', () => {
  it('is counted everywhere that is looked at here, so that emptiness means something', async () => {
    await using server = await startTestServer({ HEARTBEAT_INTERVAL_MS: '25000' });
    await using client = await RawClient.upgrade(server.port, GOOD);
    await client.answer();
    expect(leftOvers(server)).toEqual({
      sessions: 1,
      iterated: 1,
      users: 1,
      addresses: 1,
      placesTaken: 1,
      upgradesPending: 0,
      addressesConnected: 1,
      expiryBuckets: 1,
      heartbeatSlots: 1,
      budgetWaiting: 0,
      blockedQueues: 0,
    });
    const closed = once(server.app.get(SessionRegistry, { strict: false }).events, 'closed');
    client.socket.destroy();
    await closed;
  });
});
