import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startTestServer } from '../support/test-server.js';
import { CHANNEL, operate, publish, replicated, subscribe, toldUntil, user, type State } from './losses.js';

describe('a Redis that comes back with an older state', () => {
  it('is a gap for what is lost, and brings nobody anything twice, live or in a recovery', async () => {
    await using redis = await RedisServer.start();
    await using server = await startTestServer({ REDIS_URL: redis.url });
    await using bob = await user(server, 'bob');
    const { epoch } = await subscribe(bob);
    for (let number = 1; number <= 5; number += 1) await publish(server, String(number));
    await operate(redis, 'SAVE');
    for (let number = 6; number <= 8; number += 1) await publish(server, String(number));
    expect(await toldUntil(bob, '8')).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    await redis.kill();
    await redis.restart();

    await publish(server, 'new');
    const told = await toldUntil(bob, 'new');
    expect(told.filter((one) => typeof one !== 'object')).toEqual(['new']);
    expect(told[0]).toMatchObject({ from: null });
    await using eve = await user(server, 'eve');
    expect(await subscribe(eve, { epoch, seq: 8 })).toMatchObject({
      recovered: false,
      gap: { from: null },
      publications: [{ data: 'new' }],
    });
    expect(await subscribe(eve, { epoch, seq: 7 })).toMatchObject({
      gap: { from: null },
      publications: [{ data: 'new' }],
    });
    expect(await subscribe(eve, { epoch, seq: 5 })).toMatchObject({
      gap: { from: 6, to: 8 },
      publications: [{ data: 'new' }],
    });
    expect(await subscribe(eve, { epoch, seq: 4 })).toMatchObject({
      gap: { from: 6, to: 8 },
      publications: [{ data: '5' }, { data: 'new' }],
    });
    const history = await eve.request('history', { channel: CHANNEL, since: { epoch, seq: 7 } });
    expect((history.data as State).publications).toMatchObject([{ data: 'new' }]);
  });

  it('or with none is a gap, and then only what is new', async () => {
    await using redis = await RedisServer.start();
    await using server = await startTestServer({ REDIS_URL: redis.url });
    await using bob = await user(server, 'bob');
    await subscribe(bob);
    await publish(server, 'old');
    expect(await toldUntil(bob, 'old')).toEqual(['old']);
    await operate(redis, 'FLUSHALL');
    await publish(server, 'new');
    expect(await toldUntil(bob, 'new')).toEqual([{ from: null, to: 0 }, 'new']);
  });
});

describe('two masters at one time', () => {
  it('is a gap, also for those who heard what the other one acknowledged, and nobody hears anything twice', async () => {
    await using old = await RedisServer.start();
    await using replica = await RedisServer.start();
    await operate(replica, 'REPLICAOF', '127.0.0.1', String(old.port));
    await using first = await TcpProxy.start(old.port);
    await using second = await TcpProxy.start(old.port);
    await using a = await startTestServer({ REDIS_URL: `redis://127.0.0.1:${first.port}`, SERVER_ID: 'a' });
    await using b = await startTestServer({ REDIS_URL: `redis://127.0.0.1:${second.port}`, SERVER_ID: 'b' });
    await using ada = await user(a, 'ada');
    await using bob = await user(b, 'bob');
    const { epoch } = await subscribe(ada);
    await subscribe(bob);
    await publish(a, 'both');
    expect(await toldUntil(ada, 'both')).toEqual(['both']);
    expect(await toldUntil(bob, 'both')).toEqual(['both']);
    await replicated(replica, 1);

    // One node goes over, the other does not know yet.
    await operate(replica, 'REPLICAOF', 'NO', 'ONE');
    second.target = replica.port;
    second.cut();
    await publish(b, 'on the new one');
    expect(await toldUntil(bob, 'on the new one')).toEqual(['on the new one']);
    for (const data of ['lost 1', 'lost 2']) await publish(a, data);
    expect(await toldUntil(ada, 'lost 2')).toEqual(['lost 1', 'lost 2']);
    first.target = replica.port;
    first.cut();

    // The node that comes over says what it has. Published before that, the next one would come before the gap.
    expect(await bob.next()).toMatchObject({ type: 'gap', data: { from: 3, to: 4 } });
    await publish(a, 'after');
    expect(await toldUntil(bob, 'after')).toEqual(['after']);
    // She has what 3 to 4 stand for: that gap is one too many.
    expect(await toldUntil(ada, 'after')).toEqual([
      { from: null, to: 1 },
      'on the new one',
      { from: 3, to: 4 },
      'after',
    ]);
    await using eve = await user(b, 'eve');
    expect(await subscribe(eve, { epoch, seq: 1 })).toMatchObject({
      recovered: false,
      gap: { from: 3, to: 4 },
      publications: [{ data: 'on the new one' }, { data: 'after' }],
    });
  });
});

describe('what Redis acknowledged and lost, with no subscriber on the node that published it', () => {
  it('is a gap for a subscriber of another node', async () => {
    await using old = await RedisServer.start();
    await using replica = await RedisServer.start();
    await operate(replica, 'REPLICAOF', '127.0.0.1', String(old.port));
    await using first = await TcpProxy.start(old.port);
    await using second = await TcpProxy.start(old.port);
    await using a = await startTestServer({ REDIS_URL: `redis://127.0.0.1:${first.port}`, SERVER_ID: 'a' });
    await using b = await startTestServer({ REDIS_URL: `redis://127.0.0.1:${second.port}`, SERVER_ID: 'b' });
    await using bob = await user(b, 'bob');
    const { epoch } = await subscribe(bob);
    await publish(a, 'both');
    expect(await toldUntil(bob, 'both')).toEqual(['both']);
    await replicated(replica, 1);

    await operate(replica, 'REPLICAOF', 'NO', 'ONE');
    second.target = replica.port;
    second.cut();
    await publish(b, 'on the new one');
    expect(await toldUntil(bob, 'on the new one')).toEqual(['on the new one']);
    for (const data of ['lost 1', 'lost 2']) await publish(a, data);
    first.target = replica.port;
    first.cut();

    // Nothing else is published: the node that had it acknowledged says so.
    expect(await bob.next()).toMatchObject({ type: 'gap', data: { from: 3, to: 4 } });
    await using eve = await user(b, 'eve');
    expect(await subscribe(eve, { epoch, seq: 1 })).toMatchObject({
      gap: { from: 3, to: 4 },
      publications: [{ data: 'on the new one' }],
    });
  });

  it('is a gap for who comes after a restart that lost it', async () => {
    await using redis = await RedisServer.start();
    await using server = await startTestServer({ REDIS_URL: redis.url });
    await publish(server, '1');
    await operate(redis, 'SAVE');
    for (const data of ['2', '3']) await publish(server, data);
    await using eve = await user(server, 'eve');
    const { epoch } = (await eve.request('history', { channel: CHANNEL })).data as State;
    await redis.kill();
    await redis.restart();

    await eventually('the loss is known', async () => {
      const { data } = await eve.request('history', { channel: CHANNEL, since: { epoch, seq: 1 } });
      return (data as Partial<State> | undefined)?.seq === 3;
    });
    expect(await subscribe(eve, { epoch, seq: 1 })).toMatchObject({ gap: { from: 2, to: 3 }, publications: [] });
    await publish(server, 'new');
    expect(await toldUntil(eve, 'new')).toEqual(['new']);
  });
});

describe('a master of a Redis Cluster that dies with what its replica has not got', () => {
  it('is a gap for what is lost, and then only what is new, live and in a recovery', async () => {
    await using cluster = await RedisCluster.start({ replicas: 1 });
    await using server = await startTestServer({ REDIS_URL: cluster.urls, REDIS_MODE: 'cluster' });
    await using bob = await user(server, 'bob');
    const { epoch } = await subscribe(bob);
    const key = `gatehouse:{${CHANNEL}}:log`;
    await publish(server, 'kept');
    await eventually('the master has a replica', async () => (await cluster.holdersOf(key)).length === 2);
    const [master, replica = master] = await cluster.holdersOf(key);
    await replicated(replica, 1);
    // What is written from now on does not even reach its socket.
    replica.signal('SIGSTOP');
    await operate(master, 'CLIENT', 'KILL', 'TYPE', 'replica');
    for (const data of ['lost 1', 'lost 2']) await publish(server, data);
    expect(await toldUntil(bob, 'lost 2')).toEqual(['kept', 'lost 1', 'lost 2']);
    await master.kill();
    replica.signal('SIGCONT');
    await cluster.replace(master, key);

    await publish(server, 'new');
    const told = await toldUntil(bob, 'new');
    expect(told.filter((one) => typeof one !== 'object')).toEqual(['new']);
    expect(told[0]).toMatchObject({ from: null });
    await using eve = await user(server, 'eve');
    expect(await subscribe(eve, { epoch, seq: 3 })).toMatchObject({
      recovered: false,
      gap: { from: null },
      publications: [{ data: 'new' }],
    });
    // The loss is counted when it is found: before the new publication, or behind it.
    const { gap, ...rest } = await subscribe(eve, { epoch, seq: 1 });
    expect(rest).toMatchObject({ recovered: false, seq: 4, publications: [{ data: 'new' }] });
    expect([
      { from: 2, to: 3 },
      { from: 3, to: 4 },
    ]).toContainEqual(gap);
  });
});

describe('an old master that runs on, of whose connections only some break', () => {
  it.each([
    ['that of the commands', 'normal'],
    ['that which listens', 'pubsub'],
  ])('as %s: both go to the new master, so that what is published is heard', async (_, type) => {
    await using old = await RedisServer.start();
    await using replica = await RedisServer.start();
    await operate(replica, 'REPLICAOF', '127.0.0.1', String(old.port));
    await using proxy = await TcpProxy.start(old.port);
    await using server = await startTestServer({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
    await using bob = await user(server, 'bob');
    await subscribe(bob);
    await publish(server, 'before');
    expect(await toldUntil(bob, 'before')).toEqual(['before']);
    await replicated(replica, 1);

    await operate(replica, 'REPLICAOF', 'NO', 'ONE');
    proxy.target = replica.port;
    await operate(old, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    const outsider = new Redis(replica.port, '127.0.0.1');
    await eventually('the new master has both', async () => {
      const clients = String(await outsider.client('LIST')).split('\n');
      const own = clients.filter((line) => line.includes('name=gatehouse-'));
      return own.some((line) => / sub=[1-9]/.test(line)) && own.some((line) => line.includes(' sub=0 '));
    });
    outsider.disconnect();

    for (const data of ['new 1', 'new 2']) {
      await publish(server, data);
      expect(await toldUntil(bob, data)).toContain(data);
    }
  });
});
