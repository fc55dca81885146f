// @module-tag redis
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/channels/ledger/explanations.js';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { connect, type TestClient } from '../support/test-client.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { TestNodes } from '../support/test-nodes.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const token = mintToken({ sub: 'operator', roles: ['ADMIN'] });

async function explain(server: TestServer, userId: string, channel: string, seq: number): Promise<Explanation> {
  const answer = await api(server, `GET /api/explain?userId=${userId}&channel=${channel}&seq=${seq}`, { token });
  expect(answer).toMatchObject({ status: 200 });
  return answer.body as Explanation;
}

const nodesOf = ({ nodes }: Explanation): string[] => nodes.map(({ nodeId }) => nodeId).sort();

/** Asked at the first node, of users on the second. */
describe('a question about a message, over several nodes', () => {
  let file: NamespacesFile;
  let nodes: TestNodes;
  beforeAll(async () => {
    file = namespacesFile({
      log: 'subscribe: anyone, publish: anyone, history: { size: 100, age: 1h }, ledger: true',
      short: 'subscribe: anyone, publish: anyone, history: { size: 1, age: 1h }, ledger: true',
    });
    nodes = await TestNodes.start(['a', 'b'], file.environment);
  });
  afterAll(async () => {
    await nodes[Symbol.asyncDispose]();
    file[Symbol.dispose]();
  });

  const user = (index: number, sub: string): Promise<TestClient> => connect(nodes.at(index).url, { claims: { sub } });
  const publish = (channel: string, data: unknown): Promise<unknown> =>
    api(nodes.at(0), 'POST /api/publish', { body: { channel, data } });

  it('is answered by the node that the user is on', async () => {
    await using bob = await user(1, 'bob');
    await bob.request('subscribe', { channel: 'log:x' });
    await publish('log:x', 1);
    expect(await bob.next()).toMatchObject({ type: 'message', seq: 1 });
    const explanation = await explain(nodes.at(0), 'bob', 'log:x', 1);
    expect(explanation).toMatchObject({
      outcome: 'delivered',
      at: expect.any(Number) as number,
      sessions: [{ nodeId: 'b', outcome: 'delivered' }],
      missing: [],
    });
    expect(nodesOf(explanation)).toEqual(['a', 'b']);
  });

  it('is answered from both nodes where the user moved from one to the other', async () => {
    const first = await user(0, 'carol');
    const { data } = await first.request('subscribe', { channel: 'log:y' });
    const { epoch, seq } = data as { epoch: string; seq: number };
    await first[Symbol.asyncDispose]();
    await eventually('her session is gone', () => nodes.sessions(0).countOfUser('carol') === 0);
    await publish('log:y', 1);
    await using second = await user(1, 'carol');
    await second.request('subscribe', { channel: 'log:y', since: { epoch, seq } });
    await expect
      .poll(() => explain(nodes.at(0), 'carol', 'log:y', 1))
      .toMatchObject({ outcome: 'recovered', sessions: expect.arrayContaining([]) as unknown[] });
    const { sessions } = await explain(nodes.at(0), 'carol', 'log:y', 1);
    expect(sessions.map(({ nodeId, outcome }) => [nodeId, outcome])).toContainEqual(['b', 'recovered']);
  });

  it('says that nobody was there, as far as a time is known: one node tells it the other', async () => {
    await using dave = await user(1, 'dave');
    await dave.request('subscribe', { channel: 'short:z' });
    for (const data of [1, 2]) await publish('short:z', data);
    for (const seq of [1, 2]) expect(await dave.next()).toMatchObject({ seq });
    // The history has forgotten it, and only the node of the one subscriber was told of it.
    expect(await explain(nodes.at(0), 'nobody', 'short:z', 1)).toMatchObject({
      outcome: 'offline',
      publication: { state: 'gone', ts: expect.any(Number) as number },
    });
  });

  it('names a node that does not answer, and claims nothing for it', async () => {
    await using proxy = await TcpProxy.start(nodes.redis.port);
    await using third = await startTestServer({
      ...file.environment,
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      SERVER_ID: 'c',
    });
    const registry = nodes.registryOf(nodes.at(0));
    await eventually('the third node is known', () => registry.nodes.some(({ nodeId }) => nodeId === 'c'));
    await publish('log:w', 1);
    // A starved node misses the time for its answer, and is asked again.
    const asked = (): Promise<Explanation> => explain(nodes.at(0), 'nobody', 'log:w', 1);
    await expect.poll(asked).toMatchObject({ outcome: 'offline', missing: [] });
    expect(nodesOf(await asked())).toEqual(['a', 'b', 'c']);
    expect(third.port).toBeGreaterThan(0);
    proxy.swallow();
    await expect.poll(asked).toMatchObject({ outcome: 'unknown', reason: 'node_missing', missing: ['c'] });
    proxy.restore();
  });
});
