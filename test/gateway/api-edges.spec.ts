import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { EdgeFacts } from '../../src/edge/edge-facts.js';
import type { EdgesAnswer } from '../../src/server-api/edges/edges.requests.js';
import { api } from '../support/api-client.js';
import { buildServer, ServerProcess } from '../support/built-server.js';
import { EDGE_CLAIMS, freshFolder, startCentre, startEdge } from '../support/edge.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const REPORT = {
  release: '0.1.0',
  startedAt: 1_795_363_200_000,
  sessions: 2,
  users: 1,
  channels: 1,
  subscriptions: 1,
  queuedMessages: 0,
  queuedBytes: 0,
  store: 'ok',
  forwarded: 0,
  expired: 0,
  dropped: 0,
  refused: 0,
  damaged: 0,
};

async function edgesOf(server: TestServer, query = ''): Promise<EdgesAnswer> {
  return (await api(server, `GET /api/edges${query}`)).body as EdgesAnswer;
}

async function onlyEdge(server: TestServer): Promise<EdgesAnswer['edges'][number] | undefined> {
  const { edges } = await edgesOf(server);
  expect(edges.length).toBeLessThan(2);
  return edges[0];
}

async function connectedAt(server: TestServer): Promise<string | undefined> {
  return /^gatehouse_edge_connected (\d+)$/m.exec((await Scrape.of(server)).text)?.[1];
}

describe('GET /api/edges', () => {
  it('lists an edge with what it says of itself, and still when it has left', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    {
      await using edge = await startEdge({ folder, upstream: centre.url });
      await using sensor = await connect(edge.url, { claims: { sub: 'sensor-7' } });
      await sensor.request('subscribe', { channel: 'telemetry:a' });
      for (const n of [1, 2]) await sensor.request('alarm.heat', n);
      await eventually('the edge has said so', async () => (await onlyEdge(centre))?.report.forwarded === 2);
      expect(await onlyEdge(centre)).toMatchObject({
        edge: 'line-1',
        isConnected: true,
        connections: 1,
        nodeId: 'centre',
        address: '127.0.0.1',
        report: { ...REPORT, startedAt: expect.any(Number) as number, sessions: 1, forwarded: 2 },
      });
      expect(await connectedAt(centre)).toBe('1');
    }
    await eventually('it has left', async () => (await onlyEdge(centre))?.isConnected === false);
    expect(await onlyEdge(centre)).toMatchObject({ connections: 0, report: { forwarded: 2 } });
    expect(await connectedAt(centre)).toBe('0');
  });

  it('says that an edge is away which was killed, or has no power, with what it said last', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre({ HEARTBEAT_INTERVAL_MS: '500', HEARTBEAT_TIMEOUT_MS: '500' });
    await using build = await buildServer();
    const file = join(folder.path, 'edge.yaml');
    await writeFile(file, 'local: [alarm.local]');
    await using edge = await ServerProcess.start(build, {
      EDGE_UPSTREAM: centre.url,
      EDGE_TOKEN: mintToken(EDGE_CLAIMS),
      EDGE_DIR: folder.path,
      EDGE_FILE: file,
      JWT_SECRET: 's'.repeat(64),
    });
    const isConnected = async (): Promise<boolean> => (await onlyEdge(centre))?.isConnected === true;
    await edge.port();
    await eventually('it is there', isConnected);
    // As without power: its connection stays, and nothing comes.
    edge.signal('SIGSTOP');
    await eventually('the heartbeat has missed it', async () => !(await isConnected()));
    expect(await connectedAt(centre)).toBe('0');
    edge.signal('SIGCONT');
    await eventually('it is back', isConnected);
    const before = Date.now();
    edge.signal('SIGKILL');
    await eventually('it is away', async () => !(await isConnected()));
    const { since = 0, ...known } = (await onlyEdge(centre)) ?? {};
    expect(since).toBeGreaterThanOrEqual(before);
    expect(known).toMatchObject({
      edge: 'line-1',
      connections: 0,
      seenAt: since,
      report: { sessions: 0, store: 'ok' },
    });
  });

  it('says how long the oldest message has waited, and what was lost', async () => {
    await using folder = await freshFolder();
    const file = `forward: { types: ['stuck.*'], into: 'away:x' }`;
    {
      await using edge = await startEdge({ folder, upstream: 'ws://127.0.0.1:9/ws', file });
      const facts = edge.app.get(EdgeFacts, { strict: false });
      expect(await facts.read()).not.toHaveProperty('oldestMs');
      await using sensor = await connect(edge.url);
      for (const n of [1, 2]) await sensor.request('stuck.x', n);
      const { queuedMessages, oldestMs } = await facts.read();
      expect([queuedMessages, oldestMs]).toEqual([2, expect.any(Number)]);
      await eventually('time has passed', async () => ((await facts.read()).oldestMs ?? 0) > (oldestMs ?? 0));
    }
    await using centre = await startCentre();
    await using edge = await startEdge({ folder, upstream: centre.url, file });
    // The centre has no such channel.
    await edge.isEmpty();
    await eventually('the edge has said so', async () => (await onlyEdge(centre))?.report.refused === 2);
    expect((await onlyEdge(centre))?.report).toMatchObject({ expired: 0, refused: 2, queuedMessages: 0 });
  });

  it('takes reports from edges alone, and only such as are complete', async () => {
    await using centre = await startCentre();
    await using stranger = await connect(centre.url);
    expect(await stranger.request('edge.report', REPORT)).toMatchObject({ code: 'FORBIDDEN' });
    await using edge = await connect(centre.url, { claims: EDGE_CLAIMS });
    for (const wrong of [{ sessions: -1 }, { store: 'full' }, { release: 'x'.repeat(65) }, { queuedBytes: 'many' }]) {
      expect(await edge.request('edge.report', { ...REPORT, ...wrong })).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    expect((await edgesOf(centre)).edges).toEqual([]);
    expect(await edge.request('edge.report', { ...REPORT, later: 1 })).toMatchObject({ type: 'edge.report_reply' });
    expect((await onlyEdge(centre))?.report).toEqual(REPORT);
  });

  it('brings pages, and refuses a query that it does not know', async () => {
    await using centre = await startCentre();
    const token = (sub: string) => ({ claims: { sub, roles: ['EDGE'] } });
    await using one = await connect(centre.url, token('line-1'));
    await using two = await connect(centre.url, token('line-2'));
    for (const edge of [two, one]) await edge.request('edge.report', REPORT);
    const first = await edgesOf(centre, '?limit=1');
    expect(first).toMatchObject({ edges: [{ edge: 'line-1' }], after: 'line-1', missing: [] });
    const second = await edgesOf(centre, '?limit=1&after=line-1');
    expect(second).toMatchObject({ edges: [{ edge: 'line-2' }] });
    expect(second).not.toHaveProperty('after');
    for (const query of ['limit=0', 'limit=1001', 'name=x', 'after=']) {
      expect((await api(centre, `GET /api/edges?${query}`)).status).toBe(422);
    }
    const member = mintToken({ sub: 'bob', roles: ['MEMBER'] });
    expect((await api(centre, 'GET /api/edges', { token: member })).status).toBe(403);
  });

  it('is empty at a server that is no centre, without a metric', async () => {
    await using server = await startTestServer();
    expect(await edgesOf(server)).toEqual({ edges: [], missing: [] });
    expect(await connectedAt(server)).toBeUndefined();
  });
});

describe('GET /api/edges in a cluster', { tags: ['redis'] }, () => {
  let nodes: TestNodes;
  beforeAll(async () => void (nodes = await TestNodes.start(['node-1', 'node-2'], { EDGE_CENTRE: 'on' })));
  afterAll(() => nodes[Symbol.asyncDispose]());

  it('lists an edge of any node, and follows it to another one', async () => {
    const roaming = { claims: { sub: 'roaming', roles: ['EDGE'] } };
    const report = async (edge: TestClient): Promise<void> =>
      expect(await edge.request('edge.report', REPORT)).toMatchObject({ type: 'edge.report_reply' });
    const seenFrom = async (index: number) =>
      (await edgesOf(nodes.at(index))).edges.find(({ edge }) => edge === 'roaming');
    {
      await using there = await connect(nodes.at(1).url, roaming);
      await report(there);
      for (const index of [0, 1]) {
        expect(await seenFrom(index)).toMatchObject({ nodeId: 'node-2', isConnected: true, connections: 1 });
      }
    }
    await eventually('it has left', async () => (await seenFrom(0))?.isConnected === false);
    await using here = await connect(nodes.at(0).url, roaming);
    await report(here);
    for (const index of [0, 1]) {
      expect(await seenFrom(index)).toMatchObject({ nodeId: 'node-1', isConnected: true, connections: 1 });
    }
    await using copy = await connect(nodes.at(1).url, roaming);
    await report(copy);
    expect(await seenFrom(0)).toMatchObject({ isConnected: true, connections: 2 });
  });
});
