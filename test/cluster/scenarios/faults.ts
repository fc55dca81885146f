import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RedisServer } from '../../support/redis-server.js';
import type { TcpProxy } from '../../support/tcp-proxy.js';
import type { Nodes } from './nodes.js';

export interface World {
  readonly nodes: Nodes;
  readonly redis: RedisServer;
  /** Between each node and Redis. */
  readonly proxies: readonly TcpProxy[];
}

/** Cut off from everyone, with all connections kept, and back. */
export async function partitionNode({ nodes }: World, node: number, ms: number): Promise<void> {
  nodes.signal(node, 'SIGSTOP');
  await pause(ms);
  nodes.signal(node, 'SIGCONT');
}

/** Clients reach it, and it does not reach Redis: what it sends, and what is sent to it, arrives when that is over. */
export async function cutOffFromRedis({ proxies }: World, node: number, ms: number): Promise<void> {
  proxies[node]?.swallow();
  await pause(ms);
  proxies[node]?.restore();
}

/** Ends without a word; another takes its name after a while. */
export async function killNode({ nodes }: World, node: number, ms: number): Promise<void> {
  await nodes.end(node, 'SIGKILL');
  await pause(ms);
  await nodes.startNode(node);
}

/** Leaves in good order, and another takes its name. */
export async function replaceNode({ nodes }: World, node: number): Promise<void> {
  const { code } = await nodes.end(node, 'SIGTERM');
  if (code !== 0) throw new Error(`A node that was asked to leave ended with ${code}`);
  await nodes.startNode(node);
}

/** Connected, and silent. */
export async function freezeRedis({ redis }: World, ms: number): Promise<void> {
  redis.signal('SIGSTOP');
  await pause(ms);
  redis.signal('SIGCONT');
}

export async function restartRedis({ redis }: World, ms: number): Promise<void> {
  await redis.kill();
  await pause(ms);
  await redis.restart();
}

export async function emptyRedis({ redis }: World, ms: number): Promise<void> {
  await redis.kill();
  await redis.loseData();
  await pause(ms);
  await redis.restart();
}

/** Ends connections to Redis: of those that listen (`pubsub`), that ask (`normal`), or that follow (`replica`). */
export async function cutRedis(redis: RedisServer, type: 'pubsub' | 'normal' | 'replica'): Promise<void> {
  const client = new Redis(redis.port, '127.0.0.1');
  try {
    await client.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
  } finally {
    client.disconnect();
  }
}
