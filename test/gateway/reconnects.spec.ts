import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Reconnects, TRIES } from '../../src/access/limits/reconnects.js';
import { Bans } from '../../src/access/lists/bans.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { TOO_MANY } from '../support/closes.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, open, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const RATE = 3;

const bansOf = ({ app }: TestServer): Bans => app.get(Bans, { strict: false });
const sessionsOf = ({ app }: TestServer): SessionRegistry => app.get(SessionRegistry, { strict: false });
const sparedOf = ({ app }: TestServer): number => app.get(Reconnects, { strict: false }).sparedCount;

/** Undefined where the client is refused. */
async function attempt(server: TestServer): Promise<TestClient | undefined> {
  const client = open(server.url);
  client.socket.once('open', () => client.send({ type: 'echo', data: 1 }));
  const isIn = await client.next().then(
    () => true,
    () => false,
  );
  if (isIn) return client;
  expect(await client.closed).toEqual(TOO_MANY);
  return undefined;
}

/** So many come one second after the other, as fast as they may. */
async function office(server: TestServer, clock: StoppedClock, seconds: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  for (let second = 0; second < seconds; second += 1) {
    clients.push(...(await Promise.all(Array.from({ length: RATE }, () => connect(server.url)))));
    clock.pass(1_000);
  }
  return clients;
}

async function leave(server: TestServer, clients: readonly TestClient[], how: 'close' | 'terminate'): Promise<void> {
  for (const { socket } of clients) socket[how]();
  await eventually('all have left', () => sessionsOf(server).size === 0);
}

describe('an office whose connections broke', () => {
  it('comes back at once: whoever is over the rate is refused and not banned, until all are back', async () => {
    using clock = new StoppedClock();
    await using server = await startTestServer({ CONNECTION_RATE_PER_IP: String(RATE) });
    const before = await Scrape.of(server);
    const clients = await office(server, clock, 4);
    await leave(server, clients, 'terminate');

    let waiting = clients.length;
    const back: TestClient[] = [];
    while (waiting > 0) {
      const came = await Promise.all(Array.from({ length: waiting }, () => attempt(server)));
      back.push(...came.flatMap((client) => client ?? []));
      expect(back.length).toBeGreaterThan(clients.length - waiting);
      waiting = clients.length - back.length;
      clock.pass(1_000);
    }
    expect(await bansOf(server).list()).toEqual([]);
    const after = await Scrape.of(server);
    expect(after.since(before, 'websocket_bans_spared_total')).toBe(1);
    for (const client of back) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await leave(server, back, 'terminate');
  });

  it('is banned where it goes on and on, beyond what its lost connections explain', async () => {
    using clock = new StoppedClock();
    await using server = await startTestServer({ CONNECTION_RATE_PER_IP: String(RATE) });
    await leave(server, await office(server, clock, 1), 'terminate');
    for (let n = 0; n < RATE; n += 1) expect(await attempt(server)).toBeDefined();
    for (let n = 0; n < RATE * TRIES; n += 1) expect(await attempt(server)).toBeUndefined();
    expect(bansOf(server).activeCount).toBe(0);
    expect(await attempt(server)).toBeUndefined();
    expect(await bansOf(server).list()).toMatchObject([{ key: '127.0.0.1', reason: 'connection_rate' }]);
  });

  it('is banned at once where its clients had left by themselves', async () => {
    using clock = new StoppedClock();
    await using server = await startTestServer({ CONNECTION_RATE_PER_IP: String(RATE) });
    await leave(server, await office(server, clock, 2), 'close');
    const again = await Promise.all(Array.from({ length: RATE + 1 }, () => attempt(server)));
    expect(again.filter((client) => client === undefined)).toHaveLength(1);
    expect(await bansOf(server).list()).toMatchObject([{ reason: 'connection_rate' }]);
    expect(sparedOf(server)).toBe(0);
  });

  it('is not banned while the server takes connections for open whose clients are gone', async () => {
    using clock = new StoppedClock();
    await using server = await startTestServer({ CONNECTION_RATE_PER_IP: '1' });
    // As a phone whose network has changed: nothing comes back any more, and no FIN was sent.
    await using gone = await connect(server.url, { autoPong: false });
    clock.pass(60_000);
    await using back = await connect(server.url);
    expect(await attempt(server)).toBeUndefined();
    await eventually('it is spared', () => {
      clock.pass(100);
      return sparedOf(server) === 1;
    });
    expect(bansOf(server).activeCount).toBe(0);
    expect(await back.request('echo', 1)).toMatchObject({ data: 1 });
    const closed = once(sessionsOf(server).events, 'closed');
    gone.socket.terminate();
    await closed;
  });

  it('is banned where they answer', async () => {
    using clock = new StoppedClock();
    await using server = await startTestServer({ CONNECTION_RATE_PER_IP: '1' });
    await using old = await connect(server.url);
    clock.pass(60_000);
    await using young = await connect(server.url);
    expect(await attempt(server)).toBeUndefined();
    await eventually('it is banned', () => bansOf(server).activeCount === 1);
    for (const client of [old, young]) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});
