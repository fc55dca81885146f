import { describe, expect, it } from 'vitest';
import { NodeRegistry, type NodeReport } from '../../src/cluster/ports/node-registry.js';
import { Drain } from '../../src/lifecycle/drain.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { node } from '../unit/lifecycle/nodes.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { heldHandler } from '../support/held-handler.js';
import { RawClient } from '../support/raw-client.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const RESTARTING = { code: 1012, reason: '100' };

const drainOf = ({ app }: TestServer): Drain => app.get(Drain, { strict: false });
const registryOf = ({ app }: TestServer): NodeRegistry => app.get(NodeRegistry, { strict: false });

/** Has the server believe, until its next report, that it has these neighbours. */
function pretendNeighbours(server: TestServer, ...neighbours: NodeReport[]): void {
  const registry = registryOf(server);
  Object.assign(registry, { nodes: [...registry.nodes, ...neighbours] });
}

describe('a drain that does not end the process', () => {
  it('closes the sessions, refuses new ones, is not ready and stays', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    expect(drainOf(server).begin()).toMatchObject({ leaving: 1, remaining: 1, reconnectWindowMs: 100 });
    expect(await client.closed).toEqual(RESTARTING);

    await using late = await RawClient.upgrade(server.port, { headers: { Authorization: `Bearer ${mintToken()}` } });
    expect(await late.outcome()).toMatchObject({ status: 101, close: { code: 1012, reason: 'Server restarting' } });
    expect((await fetch(`${server.http}/ready`)).status).toBe(503);
    expect((await fetch(`${server.http}/health`)).status).toBe(200);
  });

  it('is told to other nodes at once, and the end of the process too', async () => {
    await using server = await startTestServer();
    const registry = registryOf(server);
    expect(registry.nodes).toMatchObject([{ nodeId: 'test-node', isReady: true }]);
    drainOf(server).begin();
    await eventually('it is not ready for others', () => registry.nodes[0]?.isReady === false);
    await server.close();
    expect(registry.nodes).toEqual([]);
  });

  it('is begun once, however often it is asked for, and tells how far it is', async () => {
    const { feature, started, release } = heldHandler();
    await using server = await startTestServer({}, [feature]);
    await using busy = await connect(server.url);
    await using idle = await connect(server.url);
    busy.send({ type: 'hold', id: 1 });
    await started;
    const first = drainOf(server).begin();
    await idle.closed;
    await eventually('one has left', () => server.app.get(SessionRegistry, { strict: false }).size === 1);
    expect(drainOf(server).begin()).toEqual({ ...first, remaining: 1 });

    release();
    expect(await busy.next()).toMatchObject({ type: 'hold_reply' });
    expect(await busy.closed).toEqual(RESTARTING);
  });

  it('lets the process end fast afterwards', async () => {
    // Longer than a test may take.
    await using server = await startTestServer({ DRAIN_TIMEOUT_MS: '600000' });
    await using client = await connect(server.url);
    drainOf(server).begin();
    await client.closed;
    await server.close();
  });

  it('cuts off what has not ended after DRAIN_TIMEOUT_MS', async () => {
    const { feature, started } = heldHandler();
    await using server = await startTestServer({ DRAIN_TIMEOUT_MS: '900' }, [feature]);
    await using client = await connect(server.url);
    client.send({ type: 'hold', id: 1 });
    await started;
    drainOf(server).begin();
    expect(await client.closed).toEqual(RESTARTING);
  });
});

describe('the reconnect window that is told', () => {
  it('is RECONNECT_WINDOW_MS where the other nodes take in those who leave within it', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    pretendNeighbours(server, node('roomy'));
    drainOf(server).begin();
    expect(await client.closed).toEqual(RESTARTING);
  });

  it('is longer where they have too few places', async () => {
    await using server = await startTestServer({ RECONNECT_WINDOW_MS: '0' });
    await using one = await connect(server.url);
    await using other = await connect(server.url);
    pretendNeighbours(server, node('small', { sessions: 9, maxSessions: 10 }));
    // Two at 500 a second, and twice as many as places.
    expect(drainOf(server).begin()).toMatchObject({ reconnectWindowMs: 8 });
    expect(await one.closed).toEqual({ code: 1012, reason: '8' });
    expect(await other.closed).toEqual({ code: 1012, reason: '8' });
  });
});
