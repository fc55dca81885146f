import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { api } from '../support/api-client.js';
import { buildServer } from '../support/built-server.js';
import { RedisServer } from '../support/redis-server.js';
import { Scrape } from '../support/scrape.js';
import { connect, open, type TestClient } from '../support/test-client.js';
import { Nodes } from './scenarios/nodes.js';

/** Connections a second that a node allows to the office. */
const RATE = 25;
const CLIENTS_PER_NODE = 75;

const urlOf = (port: number | undefined): string => `ws://127.0.0.1:${port}/ws`;

/** Connects as many clients as the rate allows, and waits until it allows as many again. */
async function office(url: string): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  while (clients.length < CLIENTS_PER_NODE) {
    const some = Math.min(RATE, CLIENTS_PER_NODE - clients.length);
    const connected = await Promise.all(Array.from({ length: some }, () => connect(url)));
    await Promise.all(connected.map((client) => client.request('echo', 1)));
    clients.push(...connected);
    await pause(1_000);
  }
  return clients;
}

/** Tries until it is in, with growing pauses, as a client library does. Gives up if it is banned. */
async function reconnect(url: string): Promise<TestClient> {
  for (let pauseMs = 200; ; pauseMs = Math.min(2_000, pauseMs * 2)) {
    const client = open(url);
    client.socket.once('open', () => client.send({ type: 'echo', data: 1 }));
    const isIn = await client.next().then(
      () => true,
      () => false,
    );
    if (isIn) return client;
    expect(await client.closed).toEqual({ code: 4001, reason: 'Too many connections, try again later' });
    await pause(pauseMs * (0.5 + Math.random()));
  }
}

it('an office of 150 whose node is killed reconnects to the other node, and is not banned', async () => {
  await using redis = await RedisServer.start();
  await using build = await buildServer();
  const environment = {
    REDIS_URL: redis.url,
    // A busy machine must not make Redis look silent.
    REDIS_TIMEOUT_MS: '60000',
    LIMITS_EXEMPT_LOOPBACK: 'off',
    CONNECTION_RATE_PER_IP: String(RATE),
    // The places of the killed node count until its lease ends, so this leaves room for all.
    MAX_CONNECTIONS_PER_IP: '250',
  };
  await using nodes = await Nodes.start(build, [environment, environment]);
  const [staying, lost] = await Promise.all([office(urlOf(nodes.portOf(0))), office(urlOf(nodes.portOf(1)))]);
  await nodes.end(1, 'SIGKILL');
  await Promise.all(lost.map(({ closed }) => closed));

  const back = await Promise.all(lost.map(() => reconnect(urlOf(nodes.portOf(0)))));
  const server = { http: `http://127.0.0.1:${nodes.portOf(0)}` };
  expect((await api(server, 'GET /api/bans')).body).toMatchObject({ bans: [] });
  const scrape = await Scrape.of(server);
  expect(scrape.value('websocket_bans_total{reason="connection_rate"}')).toBe(0);
  for (const client of [...staying, ...back]) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  await Promise.all([...staying, ...back].map((client) => client[Symbol.asyncDispose]()));
});
