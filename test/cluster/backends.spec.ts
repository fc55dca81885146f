import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { Cluster, Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { DURABLE, RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

async function ask<T>(port: number, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(port, '127.0.0.1');
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

describe('a Redis of a test', () => {
  it('has after a kill what it had acknowledged, if it is durable, and nothing once it lost its data', async () => {
    await using redis = await RedisServer.start(DURABLE);
    await ask(redis.port, (client) => client.set('kept', 'yes'));
    await redis.kill();
    await redis.restart();
    expect(await ask(redis.port, (client) => client.get('kept'))).toBe('yes');
    await redis.kill();
    await redis.loseData();
    await redis.restart();
    expect(await ask(redis.port, (client) => client.get('kept'))).toBeNull();
  });

  it('replaces a killed master of a cluster by its replica', async () => {
    await using cluster = await RedisCluster.start({ replicas: 1 });
    const client = new Cluster(cluster.urls.split(','));
    const owner = await cluster.ownerOf('key');
    await ask(owner.port, async (master) => {
      await master.set('key', 'value');
      // What this very connection has written is waited for.
      await master.wait(1, 5_000);
    });
    await owner.kill();
    await cluster.replace(owner, 'key');
    await eventually('the client finds the new master', async () => (await client.get('key')) === 'value');
    client.disconnect();
  });
});

describe('a proxy in front of a server', () => {
  /** What an echo server sends back through it. */
  async function echo() {
    const server = createServer((socket) => socket.pipe(socket).on('error', () => {})).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = await TcpProxy.start((server.address() as AddressInfo).port);
    const socket = connect(proxy.port, '127.0.0.1').on('error', () => {});
    const chunks: string[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    const received = (text: string) => eventually(`${text} comes back`, () => chunks.join('').includes(text));
    const close = async (): Promise<void> => {
      socket.destroy();
      await proxy[Symbol.asyncDispose]();
      server.close();
    };
    return { proxy, socket, chunks, received, [Symbol.asyncDispose]: close };
  }

  it('slices into single bytes, and delays them', async () => {
    await using line = await echo();
    line.socket.write('whole');
    await line.received('whole');
    Object.assign(line.proxy, { slices: true, delayMs: 50 });
    const sentAt = performance.now();
    line.socket.write('a message in slices');
    await line.received('a message in slices');
    expect(performance.now() - sentAt).toBeGreaterThan(90);
    expect(line.chunks.length).toBeGreaterThan(3);
  });

  it('swallows everything until it is restored, and cuts', async () => {
    await using line = await echo();
    line.socket.write('before');
    await line.received('before');
    line.proxy.swallow();
    line.socket.write(' after');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(line.chunks.join('')).toBe('before');
    line.proxy.restore();
    await line.received('before after');
    const closed = once(line.socket, 'close');
    line.proxy.cut();
    await closed;
  });
});
