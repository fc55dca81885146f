import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import calculateSlot from 'cluster-key-slot';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../../../src/cluster/ports/broker.js';
import { RedisBroker } from '../../../../../src/cluster/redis/broker/redis-broker.js';
import {
  FAULT_MEMORY_MS,
  faultIn,
  RedisFaults,
  type RedisFault,
} from '../../../../../src/cluster/redis/connection/redis-faults.js';
import type { RedisLink } from '../../../../../src/cluster/redis/connection/redis-link.js';
import { eventually } from '../../../../support/eventually.js';
import { RedisCluster } from '../../../../support/redis-cluster.js';
import { DURABLE, RedisServer } from '../../../../support/redis-server.js';
import { draft, KEPT } from '../../broker-bench.js';
import { RedisLinks } from '../../redis-links.js';

const CHANNEL = 'log:a' as ChannelName;
const links = new RedisLinks();
afterEach(() => links.close());

/** An operator's own connection. */
async function operate(server: RedisServer, ...command: [string, ...string[]]): Promise<void> {
  const client = new Redis(server.port, '127.0.0.1', { lazyConnect: true });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.call(...command);
  } finally {
    client.disconnect();
  }
}

const shows = (link: RedisLink, ...faults: RedisFault[]) =>
  eventually(`the faults are [${faults.join()}]`, () => link.faults.join() === faults.join());
const isUp = (link: RedisLink, up: boolean) => eventually(`the link is ${up ? 'up' : 'down'}`, () => link.isUp === up);

describe('a reply of Redis', () => {
  it.each<[string, RedisFault | undefined]>([
    ["READONLY You can't write against a read only replica. script: e676, on @user_script:1.", 'read_only'],
    ['LOADING Redis is loading the dataset in memory', 'loading'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'master_down'],
    ['CLUSTERDOWN Hash slot not served', 'cluster_down'],
    ['NOAUTH Authentication required.', 'not_authenticated'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'not_authenticated'],
    ['Failed to refresh slots cache. NOAUTH Authentication required.', 'not_authenticated'],
    ["NOPERM this user has no permissions to run the 'xadd' command", 'no_permission'],
    ["ERR The user executing the script can't run this command or subcommand script: 9397", 'no_permission'],
    ['ERR ACL failure in script: this user has no permissions to run the xadd command', 'no_permission'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'out_of_memory'],
    ['MISCONF Errors writing to the AOF file: No space left on device', 'cannot_save'],
    ['NOREPLICAS Not enough good replicas to write.', 'no_replicas'],
    ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.', 'script_running'],
    ['BUSYGROUP Consumer Group name already exists', undefined],
    ['ERR OOM is mentioned only', undefined],
    ['Command timed out', undefined],
    ['Connection is closed.', undefined],
  ])('%s: %s', (message, fault) => {
    expect(faultIn(message)).toBe(fault);
  });
});

describe('a fault', () => {
  const faults = () => {
    const told: string[] = [];
    const begun = (fault: RedisFault): void => void told.push(`+${fault}`);
    const ended = (fault: RedisFault): void => void told.push(`-${fault}`);
    return { told, faults: new RedisFaults({ begun, ended }) };
  };

  it('is told once, however often it is met, and once when it is over', () => {
    const { told, faults: some } = faults();
    for (let at = 0; at < 100; at += 1) some.note('OOM command not allowed', at);
    some.proven(200);
    some.proven(300);
    expect(told).toEqual(['+out_of_memory', '-out_of_memory']);
  });

  it('that was met after a probe was sent is not over when the probe is taken', () => {
    const { told, faults: some } = faults();
    some.note('OOM command not allowed', 101);
    some.proven(100);
    expect([told, some.current]).toEqual([['+out_of_memory'], ['out_of_memory']]);
  });

  it('that only some commands meet ends when none has met it for a while', () => {
    const { told, faults: some } = faults();
    some.note('NOPERM xadd', 0);
    some.proven(1_000);
    some.fade(FAULT_MEMORY_MS);
    expect(some.current).toEqual(['no_permission']);
    some.fade(FAULT_MEMORY_MS + 1);
    expect(told).toEqual(['+no_permission', '-no_permission']);
  });
});

describe('a Redis that takes no writes', () => {
  it.each<[RedisFault, before: string[], after: string[]]>([
    ['out_of_memory', ['CONFIG', 'SET', 'maxmemory', '1kb'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['no_replicas', ['CONFIG', 'SET', 'min-replicas-to-write', '1'], ['CONFIG', 'SET', 'min-replicas-to-write', '0']],
  ])('%s: is named by an idle node, used for the rest, and told to be over', async (fault, before, after) => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url);
    const down: string[] = [];
    link.on('down', (reason) => down.push(reason));
    await operate(redis, ...(before as [string]));
    await shows(link, fault);
    await link.attempt(() => link.client.get('x'));
    await expect(link.attempt(() => link.client.set('x', '1'))).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    await operate(redis, ...(after as [string]));
    await shows(link);
    expect([down, await link.client.dbsize()]).toEqual([[], 0]);
  });

  it('read_only: is left for whoever answers at its address, and is no Redis to this node until then', async () => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url);
    const connections: number[] = [];
    link.client.on('ready', () => connections.push(connections.length));
    await operate(redis, 'REPLICAOF', '127.0.0.1', '1');
    await isUp(link, false);
    expect(link.faults).toEqual(['read_only']);
    await eventually('it connects again', () => connections.length > 1);
    expect(link.isUp).toBe(false);
    await operate(redis, 'REPLICAOF', 'NO', 'ONE');
    await isUp(link, true);
    await shows(link);
  });

  it('master_down: is no Redis to this node until it serves again', async () => {
    await using redis = await RedisServer.start(['--replica-serve-stale-data', 'no']);
    const link = await links.open(redis.url);
    await operate(redis, 'REPLICAOF', '127.0.0.1', '1');
    await eventually('it is named', () => link.faults.includes('master_down'));
    await isUp(link, false);
    await operate(redis, 'REPLICAOF', 'NO', 'ONE');
    await isUp(link, true);
  });

  it('cannot_save: is named, and reads go on', async () => {
    await using redis = await RedisServer.start(['--enable-protected-configs', 'yes', '--save', '3600 1000000']);
    const link = await links.open(redis.url);
    const gone = await mkdtemp(join(tmpdir(), 'gatehouse-gone-'));
    await operate(redis, 'CONFIG', 'SET', 'dir', gone);
    await rm(gone, { recursive: true });
    await operate(redis, 'BGSAVE');
    await shows(link, 'cannot_save');
    expect(await link.attempt(() => link.client.get('x'))).toBeNull();
    await operate(redis, 'CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
    await shows(link);
  });
});

describe('a Redis that does not know the node, or not well enough', () => {
  it('not_authenticated: is asked again, and used as soon as the password is right', async () => {
    await using redis = await RedisServer.start();
    const rights = ['~*', '&*', '+@all'];
    await operate(redis, 'ACL', 'SETUSER', 'gate', 'on', '>right', ...rights);
    const link = await links.open(redis.url.replace('//', '//gate:right@'));
    await operate(redis, 'ACL', 'DELUSER', 'gate');
    await shows(link, 'not_authenticated');
    expect(link.isUp).toBe(false);
    await operate(redis, 'ACL', 'SETUSER', 'gate', 'on', '>right', ...rights);
    await isUp(link, true);
    await shows(link);
  });

  it('no_permission: is named when a command meets it, and the others go on', async () => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url);
    await operate(redis, 'ACL', 'SETUSER', 'default', '-xadd');
    await expect(link.attempt(() => link.client.xadd('x', '1-0', 'a', 'b'))).rejects.toThrow();
    expect(link.faults).toEqual(['no_permission']);
    expect(await link.attempt(() => link.client.set('x', '1'))).toBe('OK');
  });

  it('no_permission: is named also by a publish, whose script may not', async () => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url);
    await using broker = { it: new RedisBroker(link), [Symbol.asyncDispose]: () => broker.it.close() };
    await operate(redis, 'ACL', 'SETUSER', 'default', '-xadd');
    await expect(broker.it.publish(CHANNEL, draft('a'), KEPT)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    expect(link.faults).toEqual(['no_permission']);
  });

  it('no_permission: is named also by the connection that listens', async () => {
    await using redis = await RedisServer.start();
    await operate(redis, 'ACL', 'SETUSER', 'gate', 'on', 'nopass', '~*', '&other', '+@all');
    const link = await links.open(redis.url.replace('//', '//gate:any@'));
    await using broker = { it: new RedisBroker(link), [Symbol.asyncDispose]: () => broker.it.close() };
    await expect(broker.it.subscribe(CHANNEL)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    expect(link.faults).toEqual(['no_permission']);
  });
});

describe('a Redis that loads its data', () => {
  it('is named so, and used as soon as it has', async () => {
    await using redis = await RedisServer.start(DURABLE);
    const link = await links.open(redis.url);
    await link.client.mset(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, 'v'])));
    await operate(redis, 'BGREWRITEAOF');
    await eventually('it is rewritten', async () =>
      (await link.client.info('persistence')).includes('aof_rewrite_in_progress:0'),
    );
    await redis.kill();
    // Microseconds a key.
    redis.begin(['--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024']);
    await shows(link, 'loading');
    expect(link.isUp).toBe(false);
    await isUp(link, true);
    await shows(link);
  });
});

describe('a Redis Cluster', () => {
  it('is used where one master is full, and says so', async () => {
    await using cluster = await RedisCluster.start();
    const link = await links.open(cluster.urls, { redisMode: 'cluster' });
    const full = await cluster.ownerOf('a');
    await operate(full, 'CONFIG', 'SET', 'maxmemory', '1kb');
    await shows(link, 'out_of_memory');
    expect(link.isUp).toBe(true);
    await operate(full, 'CONFIG', 'SET', 'maxmemory', '0');
    await shows(link);
  });

  it('says that it is down where a slot has no owner, and is used for the others', async () => {
    await using cluster = await RedisCluster.start();
    const link = await links.open(cluster.urls, { redisMode: 'cluster' });
    const slot = String(calculateSlot('a'));
    for (const server of cluster.servers) await operate(server, 'CLUSTER', 'DELSLOTS', slot);
    const isNamed = async (): Promise<boolean> => {
      await link.attempt(() => link.client.set('a', '1')).catch(() => {});
      return link.faults.includes('cluster_down');
    };
    await eventually('it is named', isNamed);
    expect(link.isUp).toBe(true);
    expect(await link.attempt(() => link.client.set('b', '1'))).toBe('OK');
  });

  it('is asked again where it does not know the node', async () => {
    await using cluster = await RedisCluster.start();
    const rights = ['~*', '&*', '+@all'];
    for (const server of cluster.servers) await operate(server, 'ACL', 'SETUSER', 'gate', 'on', '>right', ...rights);
    const link = await links.open(cluster.urls.replaceAll('//', '//gate:right@'), { redisMode: 'cluster' });
    for (const server of cluster.servers) await operate(server, 'ACL', 'DELUSER', 'gate');
    await shows(link, 'not_authenticated');
    for (const server of cluster.servers) await operate(server, 'ACL', 'SETUSER', 'gate', 'on', '>right', ...rights);
    await isUp(link, true);
    await shows(link);
  });
});
