import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { RedisServer } from '../support/redis-server.js';
import { Scrape } from '../support/scrape.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

/** Who changes a Redis from outside. */
class Operator implements AsyncDisposable {
  private readonly client: Redis;

  constructor({ port }: RedisServer) {
    this.client = new Redis(port, '127.0.0.1');
  }

  call(...command: [string, ...string[]]): Promise<unknown> {
    return this.client.call(...command);
  }

  set(setting: string, value: string): Promise<unknown> {
    return this.call('CONFIG', 'SET', setting, value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.disconnect();
  }
}

interface Ready {
  readonly status: string;
  readonly details: { readonly cluster: Record<string, unknown> };
}

async function ready({ http }: TestServer): Promise<{ readonly code: number; readonly body: Ready }> {
  const response = await fetch(`${http}/ready`);
  return { code: response.status, body: (await response.json()) as Ready };
}

/** A node waits so long for Redis before it starts without it. */
const SOON_STARTED = { REDIS_TIMEOUT_MS: '2000' };

const stateOf = async (server: TestServer): Promise<unknown> => (await ready(server)).body.details.cluster.state;
const linesOf = ({ logLines }: TestServer): unknown[] =>
  logLines.map(({ msg }) => msg).filter((msg) => /^Redis is (?:unreachable|back)/.test(String(msg)));

describe('a node whose Redis goes', () => {
  it('stays ready, says that it is degraded, and that all is well once Redis is back', async () => {
    await using redis = await RedisServer.start();
    await using server = await startTestServer({ REDIS_URL: redis.url });
    await using client = await connect(server.url);
    expect(await ready(server)).toMatchObject({
      code: 200,
      body: { details: { cluster: { status: 'up', state: 'ok', engine: 'redis', redis: 'up', nodes: 1 } } },
    });
    expect((await Scrape.of(server)).value('websocket_redis_up')).toBe(1);
    expect((await Scrape.of(server)).value('websocket_cluster_nodes')).toBe(1);

    const earlier = await Scrape.of(server);
    await redis.kill();
    await eventually('it is noticed', async () => (await stateOf(server)) === 'degraded');
    expect(await ready(server)).toMatchObject({
      code: 200,
      body: { status: 'ok', details: { cluster: { status: 'up', state: 'degraded', engine: 'redis', redis: 'down' } } },
    });
    expect((await Scrape.of(server)).value('websocket_redis_up')).toBe(0);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await using other = await connect(server.url);
    expect(await other.request('echo', 2)).toMatchObject({ data: 2 });

    await eventually('failures are counted', async () => {
      return (await Scrape.of(server)).since(earlier, 'websocket_redis_failures_total') > 0;
    });
    await redis.restart();
    await eventually('it is back', async () => (await stateOf(server)) === 'ok');
    expect((await Scrape.of(server)).value('websocket_redis_up')).toBe(1);
    expect(linesOf(server)).toEqual(['Redis is unreachable; this node keeps serving its own clients', 'Redis is back']);
  });

  it('says why it cannot be reached, each reason once', async () => {
    await using redis = await RedisServer.start(['--requirepass', 'right']);
    const url = redis.url.replace('//', '//:wrong@');
    await using server = await startTestServer({ REDIS_URL: url, ...SOON_STARTED });
    const reasons = (): string[] =>
      server.logLines.filter(({ msg }) => msg === 'Redis cannot be reached').map(({ reason }) => String(reason));
    await eventually('the password is told', () => reasons().some((reason) => reason.includes('WRONGPASS')));
    await redis.kill();
    await eventually('so is who refuses', () => reasons().some((reason) => reason.includes('ECONNREFUSED')));
    expect(reasons()).toEqual([...new Set(reasons())]);
  });

  it('that is there and takes no writes: says so by its name, and that it is over', async () => {
    await using redis = await RedisServer.start();
    await using server = await startTestServer({ REDIS_URL: redis.url });
    await using operator = new Operator(redis);
    const toldOf = (fault: string): unknown[] => server.logLines.filter((line) => line.fault === fault);
    expect((await Scrape.of(server)).value('websocket_redis_fault{fault="out_of_memory"}')).toBe(0);
    await operator.set('maxmemory', '1kb');
    await eventually('it is noticed', async () => (await stateOf(server)) === 'degraded');
    expect(await ready(server)).toMatchObject({
      code: 200,
      body: { status: 'ok', details: { cluster: { state: 'degraded', redis: 'up', faults: ['out_of_memory'] } } },
    });
    expect((await Scrape.of(server)).value('websocket_redis_fault{fault="out_of_memory"}')).toBe(1);
    expect((await Scrape.of(server)).value('websocket_redis_up')).toBe(1);
    await operator.set('maxmemory', '0');
    await eventually('it is over', async () => (await stateOf(server)) === 'ok');
    expect((await Scrape.of(server)).value('websocket_redis_fault{fault="out_of_memory"}')).toBe(0);
    expect(toldOf('out_of_memory')).toMatchObject([
      { msg: 'Redis refuses commands', reason: expect.stringMatching(/^OOM /) as string },
      { msg: 'Redis accepts commands again' },
    ]);
  });

  it('becomes a replica: is degraded until its address leads to a master, and no client is told a lie meanwhile', async () => {
    await using redis = await RedisServer.start();
    await using server = await startTestServer({ REDIS_URL: redis.url });
    await using client = await connect(server.url);
    await using operator = new Operator(redis);
    await operator.call('REPLICAOF', '127.0.0.1', '1');
    await eventually('it is noticed', async () => (await stateOf(server)) === 'degraded');
    expect((await ready(server)).body.details.cluster).toMatchObject({ redis: 'down', faults: ['read_only'] });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await operator.call('REPLICAOF', 'NO', 'ONE');
    await eventually('it is over', async () => (await stateOf(server)) === 'ok');
    expect(server.logLines.filter(({ msg }) => msg === 'Redis refuses commands')).toMatchObject([
      { fault: 'read_only' },
    ]);
  });

  it('starts without it, and joins when it comes', async () => {
    await using redis = await RedisServer.start();
    await redis.kill();
    await using server = await startTestServer({ REDIS_URL: redis.url, ...SOON_STARTED });
    expect((await ready(server)).code).toBe(200);
    expect(await stateOf(server)).toBe('degraded');
    await redis.restart();
    await eventually('it joins', async () => (await stateOf(server)) === 'ok');
    await eventually('it is a node', async () => (await Scrape.of(server)).value('websocket_cluster_nodes') === 1);
    // A starved process may take Redis for silent after that.
    expect(linesOf(server).slice(0, 2)).toEqual([
      'Redis is unreachable; this node keeps serving its own clients',
      'Redis is back',
    ]);
  });
});

describe('a node without REDIS_URL', () => {
  it('has no series for a Redis that it does not use', async () => {
    await using server = await startTestServer();
    expect((await Scrape.of(server)).text).not.toMatch(/^websocket_redis_up /m);
  });
});
