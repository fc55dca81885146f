import { SubscribeMessage } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../config/settings.js';
import { NodeRegistry } from '../../src/cluster/ports/node-registry.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { LoadMeter } from '../../src/lifecycle/load-meter.js';
import { RoutePlanner } from '../../src/lifecycle/route-planner.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { fetch } from '../support/fetch.js';
import { standStill } from '../support/hold-up.js';
import { RawClient, type Outcome } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { ScriptedLag } from '../support/scripted-lag.js';
import { connect, open } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const LIMITS: Environment = { OVERLOAD_EVENT_LOOP_LAG_MS: '300' };
const REFUSED_TOTAL = 'websocket_connections_refused_total{reason="overloaded"}';

@RealtimeGateway()
class HeavyGateway {
  @SubscribeMessage('compute')
  compute(): { done: true } {
    standStill(1_500);
    return { done: true };
  }
}

async function knock({ port }: TestServer): Promise<Outcome> {
  await using client = await RawClient.upgrade(port, { headers: { Authorization: `Bearer ${mintToken()}` } });
  const outcome = await client.outcome();
  return outcome;
}

async function isRefused({ url }: TestServer): Promise<boolean> {
  await using client = open(url);
  // A refused one is "open" too, for the moment before its close frame.
  client.socket.once('open', () => client.send({ type: 'echo', data: 1 }));
  const isIn = await client.next().then(
    () => true,
    () => false,
  );
  return !isIn;
}

/** Starts a server whose event loop is late until the test says otherwise. */
async function overloadedServer(environment: Environment = {}) {
  const server = await startTestServer({ ...LIMITS, ...environment });
  const client = await connect(server.url);
  const lag = new ScriptedLag(server);
  await lag.is(1_500);
  await eventually('it refuses', () => isRefused(server));
  return {
    server,
    client,
    lag,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

describe('an overloaded node', () => {
  it('refuses upgrades with 1013, counted by reason, serves who is there, and takes upgrades again by and by', async () => {
    await using overloaded = await overloadedServer();
    const { server, client, lag } = overloaded;
    const earlier = await Scrape.of(server);
    await using refused = open(server.url);
    expect(await refused.closed).toEqual({ code: 1013, reason: 'Server at capacity, try again later' });
    expect((await Scrape.of(server)).since(earlier, REFUSED_TOTAL)).toBe(1);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });

    await lag.is(0);
    await eventually('it takes upgrades again', async () => !(await isRefused(server)));
    await using late = await connect(server.url);
    expect(await late.request('echo', 2)).toMatchObject({ data: 2 });
    expect(server.logLines.filter(({ msg }) => /[Oo]verloaded/.test(String(msg)))).toHaveLength(2);
  });

  it('says 503 and when to come again where AUTH_REFUSAL is http', async () => {
    await using overloaded = await overloadedServer({ AUTH_REFUSAL: 'http' });
    const { server } = overloaded;
    expect(await knock(server)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: 'Server overloaded',
    });
  });

  it('is not ready, for a balancer and for other nodes, and no client is sent to it', async () => {
    await using overloaded = await overloadedServer();
    const { server, lag } = overloaded;
    const registry = server.app.get(NodeRegistry, { strict: false });
    await eventually('it says so to the other nodes', () => registry.nodes[0]?.isReady === false);
    expect(server.app.get(RoutePlanner, { strict: false }).next()).toBeUndefined();
    const ready = await fetch(`${server.http}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ error: { state: { phase: 'ready', overloadedBy: 'event_loop_lag' } } });
    expect((await fetch(`${server.http}/health`)).status).toBe(200);

    await lag.is(0);
    await eventually('it is ready again', () => registry.nodes[0]?.isReady === true);
    expect(server.app.get(RoutePlanner, { strict: false }).next()?.nodeId).toBe('test-node');
  });

  it('is one whose slow readers hold nearly all that they may', async () => {
    const limits = {
      OUTBOUND_BUDGET_BYTES: '2000000',
      OVERLOAD_BUFFERED_PERCENT: '50',
      OUTBOUND_QUEUE_BYTES: '1900000',
    };
    await using server = await startTestServer(limits);
    await using reader = await connect(server.url);
    reader.socket.pause();
    const blob = 'x'.repeat(100_000);
    await eventually('it refuses', async () => {
      const isFull = server.app.get(LoadMeter, { strict: false }).load.bufferedBytes >= 1_200_000;
      if (!isFull) reader.request('echo', blob).catch(() => {});
      return isFull && isRefused(server);
    });
    reader.socket.terminate();
    await eventually('it takes upgrades again', async () => !(await isRefused(server)));
  });

  it('is one whose event loop a handler has held up', async () => {
    await using server = await startTestServer(LIMITS, [feature([HeavyGateway])]);
    await using client = await connect(server.url);
    expect(await client.request('compute')).toMatchObject({ data: { done: true } });
    await eventually('it refuses', () => isRefused(server));
  });

  it('is none where nothing is looked at', async () => {
    await using server = await startTestServer({ OVERLOAD_EVENT_LOOP_LAG_MS: '0' }, [feature([HeavyGateway])]);
    await using client = await connect(server.url);
    await client.request('compute');
    expect(await isRefused(server)).toBe(false);
  });
});
