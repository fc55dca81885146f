import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { api } from '../support/api-client.js';
import { spawnBound } from '../support/bound-process.js';
import { buildServer } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { DURABLE, RedisServer } from '../support/redis-server.js';
import { requireProgram } from '../support/require-program.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { mintToken } from '../support/test-server.js';
import { emptyRedis } from './scenarios/faults.js';
import { NAMESPACES, Nodes } from './scenarios/nodes.js';

const CHANNEL = 'feed:orders';
/** Between two publications: each takes both processes several milliseconds. */
const PAUSE_MS = 100;
/** So many are shown after each fault. */
const FURTHER = 5;

/** Publishes 1, 2, 3 … through the API of a node that runs, each until it is acknowledged. */
class Publisher implements AsyncDisposable {
  acknowledged = 0;
  private isOver = false;
  private readonly publishing: Promise<void>;

  constructor(private readonly nodes: Nodes) {
    this.publishing = this.publish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    await this.publishing;
  }

  private async publish(): Promise<void> {
    for (; !this.isOver; await pause(PAUSE_MS)) {
      if (await this.isPublished(this.acknowledged + 1)) this.acknowledged += 1;
    }
  }

  private async isPublished(data: number): Promise<boolean> {
    const node = { http: `http://127.0.0.1:${this.nodes.ports[0]}` };
    const body = { channel: CHANNEL, data, idempotencyKey: String(data) };
    const { status } = await api(node, 'POST /api/publish', { body }).catch(() => ({ status: 0 }));
    return status === 200;
  }
}

/** examples/follow_channel.py, as a process of its own. */
class Follower implements Disposable {
  readonly lines: { readonly data?: number; readonly load?: string }[] = [];
  errors = '';
  private readonly child: ChildProcess;

  constructor(port: number) {
    const script = ['examples/follow_channel.py', `ws://127.0.0.1:${port}/ws`, CHANNEL];
    const env = { ...process.env, GATEHOUSE_TOKEN: mintToken() };
    this.child = spawnBound(requireProgram('python'), script, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let rest = '';
    this.child.stdout?.on('data', (text: Buffer) => {
      const lines = `${rest}${text.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(JSON.parse(line) as Follower['lines'][number]);
    });
    this.child.stderr?.on('data', (text: Buffer) => (this.errors += text.toString()));
  }

  get loads(): number {
    return this.lines.filter(({ load }) => load !== undefined).length;
  }

  get last(): number {
    return this.lines.findLast(({ data }) => data !== undefined)?.data ?? 0;
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

/** The publications that a follower skipped or repeated without a load in between. */
function unannounced(lines: Follower['lines']): string[] {
  const faults: string[] = [];
  let last: number | undefined;
  for (const { data } of lines) {
    if (data !== undefined && last !== undefined && data !== last + 1) faults.push(`${data} came after ${last}`);
    last = data;
  }
  return faults;
}

describe('the Python client that follows a channel', { tags: ['redis', 'python'] }, () => {
  it('shows every publication once and in order, or says that you must load, whatever ends its connections', async () => {
    await using build = await buildServer();
    using namespaces = namespacesFile(NAMESPACES);
    await using redis = await RedisServer.start(DURABLE);
    const environment = { ...namespaces.environment, REDIS_URL: redis.url, DRAIN_TIMEOUT_MS: '60000' };
    await using nodes = await Nodes.start(build, [environment, environment]);
    await using balancer = await TcpProxy.start(nodes.portOf(0) ?? 0);
    using follower = new Follower(balancer.port);
    await eventually('it has subscribed', () => follower.loads === 1);
    await using publisher = new Publisher(nodes);

    /** Publications after a fault have been shown, by a client that still runs. */
    const goesOn = async (fault: string): Promise<void> => {
      const goal = publisher.acknowledged + FURTHER;
      await eventually(`it goes on after ${fault}`, () => follower.errors !== '' || follower.last >= goal);
      expect(follower.errors).toBe('');
    };
    const moveTo = (node: number): void => void (balancer.target = nodes.portOf(node) ?? 0);

    await goesOn('nothing');
    moveTo(1);
    await nodes.end(0, 'SIGKILL');
    await goesOn('the kill of its node');
    await nodes.startNode(0);
    moveTo(0);
    await nodes.end(1, 'SIGTERM');
    await goesOn('the drain of its node');
    balancer.cut();
    await goesOn('a cut connection');
    balancer.swallow();
    const before = balancer.connections;
    await eventually('it notices the silence', () => balancer.connections !== before);
    balancer.cut();
    balancer.restore();
    await goesOn('a silent network');
    expect({ loads: follower.loads, unannounced: unannounced(follower.lines) }).toEqual({ loads: 1, unannounced: [] });

    await emptyRedis({ redis, nodes, proxies: [] }, 0);
    await goesOn('the loss of all data in Redis');
    expect(follower.loads).toBeGreaterThan(1);
    expect(unannounced(follower.lines)).toEqual([]);
  });
});
