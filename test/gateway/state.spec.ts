import type { Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { ReplyError } from '../../src/testing/test-client.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { sharedServer } from '../support/shared-server.js';
import { StateClient } from '../support/state-client.js';

const OPEN = 'subscribe: anyone, publish: anyone, history: { size: 100, age: 1m }';
const file = namespacesFile({
  twin: `${OPEN}, state: { tick: 1ms }`,
  small: `${OPEN}, state: { tick: 1ms, max_keys: 3, value_bytes: 200 }`,
  slowly: `${OPEN}, state: { tick: 100ms }`,
  place: `${OPEN}, state: { tick: 1ms, round: { lat: 5, lon: 5 } }`,
  brief: 'subscribe: anyone, publish: anyone, history: { size: 2, age: 1m }, state: { tick: 1ms }',
  shared: 'subscribe: anyone, publish: nobody, history: { size: 100, age: 1m }, state: { tick: 1ms }',
  mine: `${OPEN}, state: { tick: 1ms, own_key: session }`,
  ours: `${OPEN}, state: { tick: 1ms, own_key: user }`,
  short: `${OPEN}, state: { tick: 1ms, ttl: 1ms }`,
  slow: `${OPEN}, delivery: latest, state: { tick: 1ms }`,
  blind: 'subscribe: [READER], publish: anyone, history: { size: 100, age: 1m }, state: { tick: 1ms }',
  room: OPEN,
});
afterAll(() => file[Symbol.dispose]());
const server = sharedServer({ ...file.environment, MESSAGE_RATE: '0' });
let made = 0;
const freshName = (namespace = 'twin'): string => `${namespace}:${(made += 1)}`;
const open = (channel = freshName(), claims = {}): Promise<StateClient> =>
  StateClient.connect(server().url, channel, claims);

async function joined(channel = freshName(), claims = {}): Promise<StateClient> {
  const client = await open(channel, claims);
  await client.join();
  return client;
}

async function errorOf(change: Promise<unknown>): Promise<ReplyError> {
  const error: unknown = await change.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ReplyError);
  return error as ReplyError;
}

describe('a state channel', () => {
  it('answers a subscribe with all values, their versions and a position', async () => {
    await using client = await joined();
    const { channel } = client;
    const { epoch } = await client.set('a', { x: 1 });
    await client.set('b', [1, null, { c: null }]);
    await using other = await open(channel);
    expect(await other.join()).toEqual({
      channel,
      epoch,
      seq: 2,
      recovered: false,
      publications: [],
      state: { a: { x: 1 }, b: [1, null, { c: null }] },
      versions: { a: 1, b: 2 },
    });
  });

  it('publishes what has changed as merge patches, and nothing if nothing has', async () => {
    await using client = await joined();
    await client.set('a', { x: 1, y: { z: 1, w: 1 } });
    await client.set('a', { x: 1, y: { z: 2 } });
    await client.set('a', { x: 1, y: { z: 2 } });
    await client.set('a', { absent: null, y: null });
    await client.remove('absent');
    const { version } = await client.remove('a');
    expect(version).toBe(0);
    const changes = [await client.next(), await client.next(), await client.next(), await client.next()];
    expect(changes).toEqual([
      { set: { a: { x: 1, y: { z: 1, w: 1 } } } },
      { set: { a: { y: { z: 2 } } } },
      { set: { a: { y: null } } },
      { del: ['a'] },
    ]);
  });

  it('makes one publication of all changes of a tick, from all clients', async () => {
    await using client = await joined(freshName('slowly'));
    await using other = await open(client.channel);
    // Begins a tick.
    await client.set('first', 0);
    const changes = [
      client.set('a', { x: 1 }),
      other.set('a', { y: 1 }),
      client.set('b', 1),
      client.set('a', { x: 2 }),
    ];
    const versions = (await Promise.all(changes)).map(({ version }) => version);
    expect(versions).toEqual([2, 2, 2, 2]);
    await client.next();
    expect(await client.next()).toEqual({ set: { a: { x: 2, y: 1 }, b: 1 } });
  });

  it('rounds before it compares', async () => {
    await using client = await joined(freshName('place'));
    const first = await client.set('bus', { lat: 59.912345678, lon: 10.7, heading: 1.23456789 });
    expect(await client.next()).toEqual({ set: { bus: { lat: 59.91235, lon: 10.7, heading: 1.23456789 } } });
    expect(await client.set('bus', { lat: 59.912346 })).toEqual(first);
  });

  it('recovers changes that the history has, without the values', async () => {
    await using client = await joined();
    await client.set('a', 1);
    await client.reach(1);
    await using back = await open(client.channel);
    Object.assign(back, { position: client.position });
    await client.set('a', 2);
    await client.set('b', 1);
    expect(await back.join()).toMatchObject({ recovered: true, publications: [{ seq: 2 }, { seq: 3 }] });
    expect(back.snapshots).toBe(0);
  });

  it('gives the values in place of a gap to a client that was away for too long', async () => {
    await using client = await joined(freshName('brief'));
    const since = client.position;
    for (let n = 1; n <= 5; n += 1) await client.set(`k${n}`, n);
    await client.remove('k1');
    await using back = await open(client.channel);
    const reply = await back.join(since);
    expect(reply).toMatchObject({ recovered: false, seq: 6, publications: [] });
    expect(reply.gap).toBeUndefined();
    expect(Object.fromEntries(back.map)).toEqual({ k2: 2, k3: 3, k4: 4, k5: 5 });
  });

  it('gives a large state in parts, while it changes', async () => {
    await using client = await open();
    const text = 'x'.repeat(15_000);
    for (let n = 0; n < 100; n += 1) await client.set(`key ${n}`, { n, text });
    await using other = await open(client.channel);
    const first = await other.client.request<{ state: object; more: true }>('subscribe', { channel: client.channel });
    const had = Object.keys(first.state);
    expect(first.more).toBe(true);
    expect(had.length).toBeGreaterThan(50);
    // One that has come, one that has not, and a new one.
    await client.remove(had[0] ?? '');
    await client.remove('key 99');
    await client.set('new', 1);
    await client.set(had[1] ?? '', { n: 'changed', text: null });
    Object.assign(other, { position: { epoch: '', seq: 100 } });
    for (const [key, value] of Object.entries(first.state)) other.map.set(key, value);
    await other.readRest();
    const { version } = await client.set('last', 1);
    await other.reach(version);
    const { values } = await server().app.get(Channels, { strict: false }).state(client.channel).all();
    expect(other.map).toEqual(values);
    expect(other.map.size).toBe(100);
  });

  it('lets keys go whose time is over, and says so to subscribers', async () => {
    await using client = await joined(freshName('short'));
    await client.set('a', 1);
    expect(await client.next()).toEqual({ set: { a: 1 } });
    expect(await client.next()).toEqual({ del: ['a'] });
  });

  it('carries no messages, and a channel of messages no state', async () => {
    await using client = await joined();
    const publish = client.client.request('publish', { channel: client.channel, data: 1 });
    expect(await errorOf(publish)).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('state.set') });
    const channels = server().app.get(Channels, { strict: false });
    await expect(channels.publish(client.channel, 1)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await using room = await joined(freshName('room'));
    expect(await errorOf(room.set('a', 1))).toMatchObject({
      code: 'FORBIDDEN',
      message: 'This namespace has no state',
    });
    expect(await errorOf(room.client.request('state.next', { channel: room.channel }))).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('is set by those who may publish', async () => {
    await using client = await joined(freshName('shared'));
    expect(await errorOf(client.set('a', 1))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await errorOf(client.remove('a'))).toMatchObject({ code: 'FORBIDDEN' });
    await server().app.get(Channels, { strict: false }).state(client.channel).set('a', 1);
    expect(await client.next()).toEqual({ set: { a: 1 } });
  });
});

describe('a slow reader of a state channel with delivery: latest', () => {
  it('gets fewer changes, and ends with the values as they are, on the same connection', async () => {
    await using client = await joined(freshName('slow'));
    const socket = Reflect.get(Reflect.get(client.client, 'socket') as object, '_socket') as Socket;
    const state = server().app.get(Channels, { strict: false }).state(client.channel);
    const conflated = async (): Promise<number> => (await Scrape.of(server())).value('gatehouse_state_conflated_total');
    const text = 'x'.repeat(15_000);
    socket.pause();
    let n = 0;
    const isWaiting = (): boolean =>
      [...server().app.get(SessionRegistry, { strict: false })].some(({ connection }) => connection.waitingBytes > 0);
    await eventually('changes are joined', async () => {
      await Promise.all(
        Array.from({ length: 5 }, (_, index) => state.set(`key ${index}`, { text: text + String((n += 1)) })),
      );
      await state.set('turned', { text: text + String(n) });
      // A scrape costs as much as the changes.
      return isWaiting() && (await conflated()) > 20;
    });
    await state.remove('key 0');
    socket.resume();
    const { version } = await client.set('last', 1);
    await client.reach(version);
    expect(client.map).toEqual((await state.all()).values);
    expect(client.map.size).toBe(6);
  });
});

describe('ifVersion', () => {
  it('lets a change through only if the key is at this version; otherwise CONFLICT has the value', async () => {
    await using client = await open();
    const { version, epoch } = await client.set('a', { x: 1 }, { ifVersion: 0 });
    const next = await client.set('a', { x: 2 }, { ifVersion: version });
    const error = await errorOf(client.set('a', { x: 3 }, { ifVersion: version }));
    expect(error).toMatchObject({
      code: 'CONFLICT',
      data: { key: 'a', epoch, version: next.version, value: { x: 2 } },
    });
    expect(await errorOf(client.remove('a', { ifVersion: version }))).toMatchObject({ code: 'CONFLICT' });
    expect(await errorOf(client.set('b', 1, { ifVersion: 7 }))).toMatchObject({
      code: 'CONFLICT',
      data: { key: 'b', version: 0 },
    });
    await client.remove('a', { ifVersion: next.version });
  });

  it('lets one of many through that set a key in one tick, and a flood of conflicts disturbs nobody', async () => {
    await using client = await joined(freshName('slowly'));
    const { version } = await client.set('a', 0);
    await using other = await joined(client.channel);
    const results = Array.from({ length: 2_000 }, (_, n) => client.set('a', n + 1, { ifVersion: version }));
    const undisturbed = other.set('b', 1);
    const settled = await Promise.allSettled(results);
    const refused = settled.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(1_999);
    for (const { reason } of refused as PromiseRejectedResult[]) expect(reason).toMatchObject({ code: 'CONFLICT' });
    expect(await undisturbed).toMatchObject({ key: 'b' });
    const scrape = await Scrape.of(server());
    expect(scrape.value('gatehouse_state_changes_total{result="conflict"}')).toBeGreaterThanOrEqual(1_999);
  });
});

describe('bad input', () => {
  const DEEP = JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) as unknown;
  it.each([
    ['a key of 10 KB', { key: 'k'.repeat(10_240), patch: 1 }, 'key'],
    ['an empty key', { key: '', patch: 1 }, 'key'],
    ['a key with a control character', { key: 'a\u0000b', patch: 1 }, 'key'],
    ['a key __proto__', { key: '__proto__', patch: { admin: true } }, 'key'],
    ['no key', { patch: 1 }, 'key'],
    ['no patch', { key: 'a' }, 'patch'],
    ['a patch that is null', { key: 'a', patch: null }, 'patch'],
    ['a patch of 40 levels', { key: 'a', patch: DEEP }, 'patch'],
    ['a version that is text', { key: 'a', patch: 1, ifVersion: '1' }, 'ifVersion'],
  ])('%s is VALIDATION_FAILED', async (_name, data, field) => {
    await using client = await open();
    const error = await errorOf(client.client.request('state.set', { channel: client.channel, ...data }));
    expect([error.code, Object.keys(error.details ?? {})]).toEqual(['VALIDATION_FAILED', [field]]);
  });

  it('__proto__ within a patch is refused by every codec or by the state', async () => {
    const channels = server().app.get(Channels, { strict: false });
    const patch: unknown = JSON.parse('{ "a": { "__proto__": { "admin": true } } }');
    await expect(channels.state(freshName()).set('a', patch)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { patch: ['patch must not have a field __proto__'] },
    });
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it.each([
    ['bytes', new Uint8Array(3)],
    ['a date', new Date(0)],
    ['a 64-bit integer', 2n ** 60n],
    ['NaN', { lat: NaN }],
    ['Infinity', [Infinity]],
  ])('%s of application code is refused', async (_name, patch) => {
    const state = server().app.get(Channels, { strict: false }).state(freshName());
    await expect(state.set('a', patch)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('takes field names that are methods elsewhere', async () => {
    await using client = await joined();
    await client.set('constructor', { toString: { a: 1 }, hasOwnProperty: 1 });
    await client.set('constructor', { toString: { b: 1 } });
    await client.reach(2);
    expect(client.map.get('constructor')).toEqual({ toString: { a: 1, b: 1 }, hasOwnProperty: 1 });
  });

  it('more keys than max_keys are STATE_LIMIT_REACHED, and those that are there can change', async () => {
    await using client = await open(freshName('small'));
    const settled = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => client.set(`k${n}`, n)));
    const refused = settled.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(7);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'STATE_LIMIT_REACHED' });
    await client.set('k0', 'changed');
    await client.remove('k1');
    await client.set('new', 1);
  });

  it('a value that grows beyond value_bytes is MESSAGE_TOO_LARGE, and stays as it was', async () => {
    await using client = await joined(freshName('small'));
    await client.set('a', { x: 'x'.repeat(50) });
    expect(await errorOf(client.set('a', { y: 'y'.repeat(150) }))).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    await client.reach(1);
    expect(client.map.get('a')).toEqual({ x: 'x'.repeat(50) });
  });
});

describe('an owner', () => {
  it('must be subscribed, and has its keys for itself', async () => {
    await using alice = await open(freshName('mine'), { sub: 'alice' });
    expect(await errorOf(alice.set('a', 1))).toMatchObject({ code: 'NOT_SUBSCRIBED' });
    await alice.join();
    await alice.set('a', 1);
    await using again = await joined(alice.channel, { sub: 'alice' });
    for (const change of [again.set('a', 2), again.remove('a')]) {
      expect(await errorOf(change)).toMatchObject({
        code: 'FORBIDDEN',
        message: expect.stringContaining('somebody else'),
      });
    }
    await alice.set('a', 2);
    await server().app.get(Channels, { strict: false }).state(alice.channel).set('a', 3);
  });

  it('takes its keys with it when it leaves; those of others stay', async () => {
    await using bob = await joined(freshName('mine'), { sub: 'bob' });
    await using alice = await joined(bob.channel, { sub: 'alice' });
    await alice.set('a', 1);
    await alice.set('b', 1);
    const { version } = await bob.set('c', 1);
    await bob.reach(version);
    await alice.client.request('unsubscribe', { channel: alice.channel });
    await eventually('the keys are gone', async () => {
      await bob.next();
      return bob.map.size === 1;
    });
    expect([...bob.map.keys()]).toEqual(['c']);
  });

  it('that is a user takes its keys with its last session', async () => {
    await using bob = await joined(freshName('ours'), { sub: 'bob' });
    await using alice = await joined(bob.channel, { sub: 'alice' });
    await using again = await joined(bob.channel, { sub: 'alice' });
    await alice.set('a', 1);
    await again.set('a', 2);
    expect(await errorOf(bob.set('a', 3))).toMatchObject({ code: 'FORBIDDEN' });
    await alice.client.request('unsubscribe', { channel: bob.channel });
    const { version } = await again.set('b', 1);
    await bob.reach(version);
    expect([...bob.map.keys()]).toEqual(['a', 'b']);
    await again.client.request('unsubscribe', { channel: bob.channel });
    await eventually('the keys are gone', async () => {
      await bob.next();
      return bob.map.size === 0;
    });
  });
});

describe('a conflict', () => {
  it('shows the value to a client that may subscribe or is subscribed, and to no other', async () => {
    const channel = freshName('blind');
    await using reader = await open(channel, { roles: ['READER'] });
    const { epoch } = await reader.set('a', { secret: 1 });
    await using writer = await open(channel);
    const shown = { key: 'a', epoch, version: 1 };
    for (const change of [writer.set('a', 1, { ifVersion: 9 }), writer.remove('a', { ifVersion: 9 })]) {
      expect(await errorOf(change)).toMatchObject({ code: 'CONFLICT', data: shown });
      expect((await errorOf(change)).data).not.toHaveProperty('value');
    }
    const { data } = await errorOf(reader.set('a', 1, { ifVersion: 9 }));
    expect(data).toEqual({ ...shown, value: { secret: 1 } });
  });
});
