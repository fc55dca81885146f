import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, type Client } from '../../packages/client/src/index.js';
import { openState, type ChannelState, type StateArea, type StateChange } from '../../packages/client/src/state.js';
import { ChannelHub } from '../../src/channels/channel-hub.js';
import { Channels } from '../../src/channels/channels.js';
import type { ChannelName } from '../../src/cluster/ports/broker.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { sharedServer } from '../support/shared-server.js';
import { mintToken } from '../support/test-server.js';

const OPEN = 'subscribe: anyone, publish: anyone, history: { size: 3, age: 1m }';
const file = namespacesFile({
  fleet: `${OPEN}, state: { tick: 1ms, area: { fields: [lat, lon], cell: 1, max_cells: 25 } }`,
  globe: `${OPEN}, state: { tick: 1ms, area: { fields: [lat, lon], cell: 1, max_cells: 25, wrap: 180 } }`,
  room: OPEN,
  log: 'subscribe: anyone',
});
afterAll(() => file[Symbol.dispose]());
const server = sharedServer({ ...file.environment, MESSAGE_RATE: '0' });
let made = 0;
const freshName = (namespace = 'fleet'): string => `${namespace}:client-${(made += 1)}`;
const stateOf = (channel: string) => server().app.get(Channels, { strict: false }).state(channel);

function opened(): { readonly client: Client; [Symbol.dispose](): void } {
  const client = createClient({ url: server().url, token: mintToken(), WebSocket });
  return { client, [Symbol.dispose]: () => client.close() };
}

const isLive = (state: ChannelState): Promise<void> =>
  eventually('the state is live', () => state.getSnapshot().state === 'live');
const has = (state: ChannelState, ...keys: readonly string[]): Promise<void> =>
  eventually(`it has ${keys.join(', ')}`, () => [...state.values.keys()].toSorted().join() === keys.join());

const HERE: StateArea = [10.2, 10.2, 10.8, 10.8];

describe('an area of the client library', () => {
  it('has the keys in the box and in a ring of one cell around it, and follows the box', async () => {
    using at = opened();
    const channel = freshName();
    for (let n = 0; n < 20; n += 1) await stateOf(channel).set(`k${n + 10}`, { lat: 10.5, lon: n + 0.5 });
    const changes: StateChange[] = [];
    const state = openState(at.client, channel, { area: HERE, onChange: (change) => void changes.push(change) });
    await isLive(state);
    await has(state, 'k19', 'k20', 'k21');
    // What is in the box comes first.
    expect([changes[0]?.isSnapshot, [...(changes[0]?.set.keys() ?? [])]]).toEqual([true, ['k20']]);
    state.look([10.2, 12.2, 10.8, 13.8]);
    await has(state, 'k21', 'k22', 'k23', 'k24');
    expect(changes.flatMap(({ removed }) => removed).toSorted()).toEqual(['k19', 'k20']);
    const { version } = await stateOf(channel).set('k24', { on: true });
    await eventually('the change has come', () => state.versionOf('k24') === version);
    expect(state.values.get('k24')).toEqual({ lat: 10.5, lon: 14.5, on: true });
    await state.set('k24', { on: false }, { ifVersion: version });
    await eventually('the change has come', () => !(state.values.get('k24') as { on: boolean }).on);
  });

  it('shows a key that crosses borders at every moment, and never with fields of before', async () => {
    using at = opened();
    const channel = freshName();
    const state = openState(at.client, channel, { area: HERE });
    const absent: number[] = [];
    await isLive(state);
    await stateOf(channel).set('bus', { lat: 10.5, lon: 10.5, n: 0 });
    await has(state, 'bus');
    state.subscribe(() => state.values.has('bus') || absent.push(1));
    for (let n = 1; n <= 60; n += 1) {
      const lon = 10.5 + Math.sin(n) * 0.9;
      await stateOf(channel).replace('bus', { lat: 10.5, lon, [`only ${n}`]: true });
    }
    const value = (await stateOf(channel).get('bus'))?.value;
    await eventually(
      'the last place has come',
      () => JSON.stringify(state.values.get('bus')) === JSON.stringify(value),
    );
    expect(absent).toEqual([]);
    await stateOf(channel).remove('bus');
    await eventually('it is gone', () => state.values.size === 0);
  });

  it('begins again after a lost connection, with the newest box', async () => {
    using at = opened();
    const channel = freshName();
    const state = openState(at.client, channel, { area: HERE });
    await isLive(state);
    await stateOf(channel).set('a', { lat: 10.5, lon: 10.5 });
    await has(state, 'a');
    for (const session of server().app.get(SessionRegistry, { strict: false })) session.close('going_away');
    await eventually('the connection is lost', () => state.getSnapshot().state !== 'live');
    await stateOf(channel).remove('a');
    await stateOf(channel).set('b', { lat: 10.5, lon: 20.5 });
    state.look([10.2, 20.2, 10.8, 20.8]);
    await isLive(state);
    await has(state, 'b');
    state.close();
  });

  it('tells of a box that is too large or none, and looks at what it did before', async () => {
    using at = opened();
    const channel = freshName();
    const codes: string[] = [];
    const state = openState(at.client, channel, { area: HERE, onError: ({ code }) => void codes.push(code) });
    await isLive(state);
    state.look([-90, -180, 90, 180]);
    await eventually('it is refused', () => codes.length === 1);
    state.look([11, 11, 10, 12]);
    await eventually('it is refused', () => codes.length === 2);
    expect(codes).toEqual(['AREA_TOO_LARGE', 'VALIDATION_FAILED']);
    await stateOf(channel).set('a', { lat: 10.5, lon: 10.5 });
    await has(state, 'a');
    expect(state.getSnapshot().state).toBe('live');
  });

  it('sees over the line of ±180°', async () => {
    using at = opened();
    const channel = freshName('globe');
    await stateOf(channel).set('east', { lat: 0.5, lon: -179.5 });
    await stateOf(channel).set('farther', { lat: 0.5, lon: -178.5 });
    await stateOf(channel).set('west', { lat: 0.5, lon: 179.5 });
    const state = openState(at.client, channel, { area: [0.2, 179.2, 0.8, -179.2] });
    await isLive(state);
    await has(state, 'east', 'farther', 'west');
  });

  it('reads a cell from its beginning if the server has to send it anew while its parts are read', async () => {
    using at = opened();
    const channel = freshName();
    const text = 'x'.repeat(15_000);
    const keys = Array.from({ length: 300 }, (_, n) => `key ${n}`);
    await Promise.all(keys.map((key) => stateOf(channel).set(key, { lat: 10.5, lon: 10.5, text })));
    const hub = server().app.get(ChannelHub, { strict: false });
    let parts = 0;
    const client = Object.create(at.client, {
      request: {
        value: (type: string, ...rest: readonly unknown[]): Promise<unknown> => {
          if (type === 'area.next') parts += 1;
          // Publications may be lost, so the server reads the cell again.
          if (type === 'area.next' && parts <= 2) hub.interrupted(channel as ChannelName);
          return (at.client.request as (...given: readonly unknown[]) => Promise<unknown>)(type, ...rest);
        },
      },
    }) as Client;
    const state = openState(client, channel, { area: HERE });
    await has(state, ...keys.toSorted());
    await stateOf(channel).set('key 0', { seen: true });
    await eventually('a change has come', () => 'seen' in (state.values.get('key 0') as object));
    expect(state.values.size).toBe(300);
  });

  it.each([
    ['a channel with an area, without a box', 'fleet', undefined, 'NO_STATE'],
    ['a channel with a history and no state', 'room', undefined, 'NO_STATE'],
    ['a channel that keeps nothing', 'log', undefined, 'NO_STATE'],
    ['a channel without an area, with a box', 'room', HERE, 'FORBIDDEN'],
  ])('is refused by a clear error and asked for once: %s', async (_name, namespace, area, code) => {
    using at = opened();
    const channel = freshName(namespace);
    const codes: string[] = [];
    const state = openState(at.client, channel, { area, onError: (error) => void codes.push(error.code) });
    await eventually('it is refused', () => state.getSnapshot().state === 'refused');
    expect([codes, state.getSnapshot().error?.code]).toEqual([[code], code]);
    const hub = server().app.get(ChannelHub, { strict: false });
    await eventually('it has left', () => hub.get(channel as ChannelName)?.subscriptions.size === 0);
  });

  it('reads many values in parts while they change and the box moves', async () => {
    using at = opened();
    const channel = freshName();
    const state = stateOf(channel);
    const text = 'x'.repeat(15_000);
    const lonOf = (n: number): number => 9.5 + (n % 3);
    await Promise.all(Array.from({ length: 210 }, (_, n) => state.set(`key ${n}`, { lat: 10.5, lon: lonOf(n), text })));
    const seen = openState(at.client, channel, { area: HERE });
    let round = 0;
    const changing = setInterval(() => {
      round += 1;
      void state.set(`key ${round % 210}`, { lon: lonOf(round), round });
      if (round % 10 === 0) seen.look([10.2, 10.2 + (round % 4), 10.8, 10.8 + (round % 4)]);
    }, 2);
    await isLive(seen);
    await eventually('many changes have come', () => round > 150);
    clearInterval(changing);
    seen.look(HERE);
    await eventually('all has come', async () => {
      const { values } = await state.all();
      const isSame = ([key, value]: [string, unknown]): boolean =>
        JSON.stringify(seen.values.get(key)) === JSON.stringify(value);
      return seen.values.size === values.size && [...values].every(isSame);
    });
  });
});
