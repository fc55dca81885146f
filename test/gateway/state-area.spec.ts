import { afterAll, describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { ReplyError } from '../../src/testing/test-client.js';
import { AreaClient, type Box } from '../support/area-client.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { sharedServer } from '../support/shared-server.js';
import { mintToken } from '../support/test-server.js';
import { connectWith, WIRES } from '../support/wires.js';

const OPEN = 'subscribe: anyone, publish: anyone, history: { size: 100, age: 1m }';
const AREA = 'area: { fields: [lat, lon], cell: 1, max_cells: 9 }';
const file = namespacesFile({
  fleet: `${OPEN}, state: { tick: 1ms, ${AREA} }`,
  globe: `${OPEN}, state: { tick: 1ms, area: { fields: [lat, lon], cell: 1, max_cells: 9, wrap: 180 } }`,
  slowly: `${OPEN}, state: { tick: 100ms, ${AREA} }`,
  mine: `${OPEN}, presence: true, state: { tick: 1ms, own_key: session, ${AREA} }`,
  small: `${OPEN}, state: { tick: 1ms, max_keys: 3, ${AREA} }`,
  short: `${OPEN}, state: { tick: 1ms, ttl: 1ms, ${AREA} }`,
  drivers: `subscribe: [DRIVER], publish: anyone, history: { size: 9, age: 1m }, state: { tick: 1ms, ${AREA} }`,
  twin: `${OPEN}, state: { tick: 1ms }`,
});
afterAll(() => file[Symbol.dispose]());
const server = sharedServer({ ...file.environment, MESSAGE_RATE: '0' });
let made = 0;
const freshName = (namespace = 'fleet'): string => `${namespace}:${(made += 1)}`;
const stateOf = (channel: string) => server().app.get(Channels, { strict: false }).state(channel);

async function joined(channel = freshName(), claims = {}): Promise<AreaClient> {
  const client = await AreaClient.connect(server().url, channel, claims);
  await client.join();
  return client;
}

async function errorOf(change: Promise<unknown>): Promise<ReplyError> {
  const error: unknown = await change.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ReplyError);
  return error as ReplyError;
}

const HERE: Box = [0, 0, 0.9, 1.9];

describe('an area of a state channel', () => {
  it('answers a box with the values in its cells, and a subscribe with none', async () => {
    const channel = freshName();
    const { epoch } = await stateOf(channel).set('near', { lat: 0.5, lon: 0.5 });
    await stateOf(channel).set('far', { lat: 50, lon: 50 });
    await using client = await AreaClient.connect(server().url, channel);
    expect(await client.join()).toEqual({ channel, recovered: false, publications: [] });
    expect(await client.look(HERE)).toEqual({
      channel,
      entered: ['0:0', '0:1'],
      left: [],
      cells: [
        { cell: '0:0', epoch, seq: 1, state: { near: { lat: 0.5, lon: 0.5 } }, versions: { near: 1 } },
        { cell: '0:1', epoch, seq: 0, state: {}, versions: {} },
      ],
      grid: { cell: 1, maxCells: 9, wrap: 0 },
    });
  });

  it('brings the changes in these cells, and no others', async () => {
    await using client = await joined();
    await client.look(HERE);
    await client.set('far', { lat: 50, lon: 50 });
    await client.set('near', { lat: 0.5, lon: 0.5, speed: 1 });
    await client.set('far', { speed: 1 });
    const { version } = await client.set('near', { speed: 2 });
    await client.remove('near');
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      { cell: '0:0', set: { near: { lat: 0.5, lon: 0.5, speed: 1 } } },
      { cell: '0:0', set: { near: { speed: 2 } } },
      { cell: '0:0', del: ['near'] },
    ]);
    expect(version).toBe(4);
  });

  it('brings the whole value of a key in the cell that it enters, and says in the other one where it is', async () => {
    await using client = await joined();
    await client.look(HERE);
    await client.set('a', { lat: 0.5, lon: 0.5, name: 'A' });
    await client.set('a', { lon: 1.5 });
    await client.set('a', { lon: 2.5 });
    await client.set('a', { lon: 1.5 });
    await client.until(() => client.heard.length === 5);
    expect(client.heard[0]).toEqual({ cell: '0:0', set: { a: { lat: 0.5, lon: 0.5, name: 'A' } } });
    expect(client.heard.slice(1, 3)).toEqual([
      { cell: '0:0', del: ['a'], to: { a: '0:1' } },
      { cell: '0:1', set: { a: { lat: 0.5, lon: 1.5, name: 'A' } } },
    ]);
    expect(client.heard[3]).toEqual({ cell: '0:1', del: ['a'], to: { a: '0:2' } });
    expect(client.heard[4]).toEqual({ cell: '0:1', set: { a: { lat: 0.5, lon: 1.5, name: 'A' } } });
  });

  it('moves: answers with what was entered and left, and only the changes there come', async () => {
    await using client = await joined();
    for (const n of [0, 1, 2, 3]) await client.set(`k${n}`, { lat: 0.5, lon: n + 0.5 });
    await client.look(HERE);
    expect([...client.map.keys()]).toEqual(['k0', 'k1']);
    const { entered, left, cells } = await client.look([0, 1, 0.9, 2.9]);
    expect([entered, left, cells.map(({ cell }) => cell)]).toEqual([['0:2'], ['0:0'], ['0:2']]);
    expect([...client.map.keys()]).toEqual(['k1', 'k2']);
    for (const n of [0, 1, 2, 3]) await client.set(`k${n}`, { seen: true });
    await client.until(() => client.heard.length === 2);
    expect(client.heard.map(({ set }) => Object.keys(set ?? {}))).toEqual([['k1'], ['k2']]);
    expect(await client.look([0, 1, 0.9, 2.9])).toMatchObject({ entered: [], left: [], cells: [] });
  });

  it('gives all values again after another subscribe', async () => {
    await using client = await joined();
    await client.set('a', { lat: 0.5, lon: 0.5 });
    await client.look(HERE);
    await client.join();
    await client.set('a', { on: 1 });
    expect((await client.look(HERE)).cells[0]).toMatchObject({ state: { a: { on: 1 } } });
    await client.set('a', { on: 2 });
    expect(await client.next()).toEqual({ cell: '0:0', set: { a: { on: 2 } } });
  });

  it('gives a cell with many values in parts, while it changes', async () => {
    await using client = await joined();
    const text = 'x'.repeat(15_000);
    const state = stateOf(client.channel);
    await Promise.all(Array.from({ length: 150 }, (_, n) => state.set(`key ${n}`, { lat: 0.5, lon: n % 2, n, text })));
    const { channel } = client;
    const first = await client.client.request<{ more?: true }>('area', { channel, box: HERE });
    expect(first.more).toBe(true);
    await client.join();
    await client.look(HERE);
    expect(client.map.size).toBe(150);
    expect(client.map).toEqual((await state.all()).values);
  });

  it('lets keys go whose time is over, in the cell where they were', async () => {
    await using client = await joined(freshName('short'));
    await client.look(HERE);
    await client.set('a', { lat: 0.5, lon: 1.5 });
    expect(await client.next()).toEqual({ cell: '0:1', set: { a: { lat: 0.5, lon: 1.5 } } });
    expect(await client.next()).toEqual({ cell: '0:1', del: ['a'] });
  });

  it('sees over the line of ±180°', async () => {
    await using client = await joined(freshName('globe'));
    await client.set('west', { lat: 0.5, lon: 179.5 });
    await client.set('east', { lat: 0.5, lon: -179.5 });
    await client.look([0, 179.2, 0.9, -179.2]);
    expect([...client.map.keys()].toSorted()).toEqual(['east', 'west']);
    await client.set('west', { lon: 180.2 });
    await client.until(() => client.heard.length === 2);
    expect(client.heard.at(-1)).toEqual({ cell: '0:-180', set: { west: { lat: 0.5, lon: 180.2 } } });
  });
});

describe('the right to an area', () => {
  it('is the subscription; without it, and after unsubscribe, there is none', async () => {
    await using client = await AreaClient.connect(server().url, freshName());
    expect((await errorOf(client.look(HERE))).code).toBe('NOT_SUBSCRIBED');
    await client.join();
    await client.look(HERE);
    await client.client.request('unsubscribe', { channel: client.channel });
    expect((await errorOf(client.look(HERE))).code).toBe('NOT_SUBSCRIBED');
    expect((await errorOf(client.readRest())).code).toBe('NOT_SUBSCRIBED');
    await client.set('a', { lat: 0.5, lon: 0.5 });
    await client.join();
    await client.look([0, 1, 0.9, 1.9]);
    await client.set('b', { lat: 0.5, lon: 1.5 });
    // Nothing of the other cell has come before.
    expect(await client.next()).toMatchObject({ cell: '0:1' });
  });

  it('is not there in a channel without one, and with one the state does not come in parts of all of it', async () => {
    await using twin = await joined(freshName('twin'));
    expect(await errorOf(twin.look(HERE))).toMatchObject({ code: 'FORBIDDEN', message: 'This namespace has no area' });
    await using fleet = await joined();
    const error = await errorOf(fleet.client.request('state.next', { channel: fleet.channel }));
    expect(error).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('area.next') });
  });
});

describe('a client that loses the right to a channel', () => {
  it('gets nothing of its area any more', async () => {
    await using client = await joined(freshName('drivers'), { roles: ['DRIVER'] });
    await client.look(HERE);
    await client.set('a', { lat: 0.5, lon: 0.5 });
    await client.next();
    await client.client.request('auth_refresh', { token: mintToken({ roles: [] }) });
    expect(await client.client.next('unsubscribed')).toMatchObject({ channel: client.channel });
    expect((await errorOf(client.look(HERE))).code).toBe('NOT_SUBSCRIBED');
    await client.set('a', { n: 1 });
    const other = new AreaClient(client.client, freshName());
    await other.join();
    await other.look(HERE);
    await other.set('b', { lat: 0.5, lon: 0.5 });
    // The first push since then is that of the other channel.
    expect(await client.client.next()).toMatchObject({ channel: other.channel });
  });
});

describe.each(WIRES)('an area in $subprotocol', (wire) => {
  it('is the same, and a number that is none is refused', async () => {
    const channel = freshName();
    await using client = await connectWith(wire, server().url);
    await client.request('subscribe', { channel });
    const { epoch } = await stateOf(channel).set('a', { lat: 0.5, lon: 0.5 });
    const state = { a: { lat: 0.5, lon: 0.5 } };
    expect(await client.request('area', { channel, box: HERE })).toMatchObject({
      type: 'area_reply',
      data: {
        entered: ['0:0', '0:1'],
        left: [],
        cells: [{ cell: '0:0', epoch, seq: 1, state, versions: { a: 1 } }, {}],
      },
    });
    await stateOf(channel).set('a', { lon: 1.5 });
    expect(await client.next()).toMatchObject({ type: 'message', seq: 2, data: { cell: '0:0', del: ['a'] } });
    expect(await client.next()).toMatchObject({ seq: 2, data: { cell: '0:1', set: { a: { lat: 0.5, lon: 1.5 } } } });
    for (const number of [NaN, Infinity, null]) {
      const refused = await client.request('area', { channel, box: [number, 0, 1, 1] });
      expect(['VALIDATION_FAILED', 'INVALID_MESSAGE_FORMAT']).toContain(refused['code']);
    }
    expect(await client.request('area.next', { channel })).toMatchObject({ data: { channel, cells: [] } });
  });
});

describe('the keys of an owner', () => {
  it('go from its cell when it leaves', async () => {
    await using viewer = await joined(freshName('mine'));
    await viewer.look(HERE);
    await using owner = await joined(viewer.channel, { sub: 'owner' });
    await owner.set('a', { lat: 0.5, lon: 0.5 });
    await owner.client.request('unsubscribe', { channel: owner.channel });
    await viewer.until(() => viewer.heard.length === 2);
    expect(viewer.heard[1]).toEqual({ cell: '0:0', del: ['a'] });
    const { count } = await viewer.client.request<{ count: number }>('presence', { channel: viewer.channel });
    expect(count).toBe(1);
  });
});

describe('bad input', () => {
  it.each([
    ['no box', undefined],
    ['a box of three', [0, 0, 1]],
    ['a box of five', [0, 0, 1, 1, 1]],
    ['a box of text', ['0', '0', '1', '1']],
    ['a box with null', [0, 0, null, 1]],
    ['an inverted box', [1, 0, 0, 1]],
    ['a box over a line that is none', [0, 179, 1, -179]],
    ['a box of numbers that no cell has', [0, 0, 1e300, 1e300]],
    ['a map', { __proto__: [0, 0, 1, 1] }],
  ])('%s is VALIDATION_FAILED, and the client looks at what it did before', async (_name, box) => {
    await using client = await joined();
    await client.look(HERE);
    const error = await errorOf(client.client.request('area', { channel: client.channel, box }));
    expect([error.code, Object.keys(error.details ?? {})]).toEqual(['VALIDATION_FAILED', ['box']]);
    await client.set('a', { lat: 0.5, lon: 0.5 });
    expect(await client.next()).toMatchObject({ cell: '0:0' });
  });

  it.each([
    ['covers the world', [-90, -180, 90, 180]],
    ['covers all numbers', [-1e15, -1e15, 1e15, 1e15]],
    ['has one cell too many', [0, 0, 0.9, 9]],
  ])('a box that %s is AREA_TOO_LARGE', async (_name, box) => {
    await using client = await joined();
    const error = await errorOf(client.client.request('area', { channel: client.channel, box }));
    expect(error).toMatchObject({ code: 'AREA_TOO_LARGE', details: { box: [expect.stringContaining('at most 9')] } });
  });

  it.each([
    ['no place', { speed: 1 }],
    ['half a place', { lat: 1 }],
    ['a place of text', { lat: '1', lon: 1 }],
    ['a place that no cell has', { lat: 1e300, lon: 1 }],
    ['no fields', 7],
  ])('a value with %s is VALIDATION_FAILED', async (_name, patch) => {
    await using client = await joined();
    expect(await errorOf(client.set('a', patch))).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { patch: ['patch must leave a place: finite numbers in lat and lon'] },
    });
    const scrape = await Scrape.of(server());
    expect(scrape.value('gatehouse_state_changes_total{result="unplaced"}')).toBeGreaterThan(0);
  });

  it('a patch that takes the place away is refused, and the value stays', async () => {
    await using client = await joined();
    await client.set('a', { lat: 0.5, lon: 0.5 });
    expect((await errorOf(client.set('a', { lat: null }))).code).toBe('VALIDATION_FAILED');
    expect((await stateOf(client.channel).get('a'))?.value).toEqual({ lat: 0.5, lon: 0.5 });
  });

  it('more keys than max_keys are STATE_LIMIT_REACHED, in whatever cells they are', async () => {
    await using client = await joined(freshName('small'));
    const changes = Array.from({ length: 9 }, (_, n) => client.set(`k${n}`, { lat: n, lon: n }));
    const settled = await Promise.allSettled([...changes, client.set('__proto__', { lat: 0, lon: 0 })]);
    const codes = settled.map((result) => (result.status === 'rejected' ? (result.reason as ReplyError).code : 'set'));
    expect(codes).toEqual([
      ...Array<string>(3).fill('set'),
      ...Array<string>(6).fill('STATE_LIMIT_REACHED'),
      'VALIDATION_FAILED',
    ]);
    await client.look([0, 0, 2, 2]);
    expect(client.map.size).toBe(3);
  });

  it('one bad change fails alone in its tick', async () => {
    await using client = await joined(freshName('slowly'));
    const [bad, good] = await Promise.allSettled([client.set('a', { lat: 1 }), client.set('b', { lat: 1, lon: 1 })]);
    expect([bad.status, good.status]).toEqual(['rejected', 'fulfilled']);
  });
});
