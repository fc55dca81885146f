import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, type Client } from '../../packages/client/src/index.js';
import { openState, type ChannelState, type StateChange } from '../../packages/client/src/state.js';
import { Channels } from '../../src/channels/channels.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { sharedServer } from '../support/shared-server.js';
import { mintToken } from '../support/test-server.js';

const OPEN = 'subscribe: anyone, publish: anyone';
const file = namespacesFile({
  twin: `${OPEN}, history: { size: 3, age: 1m }, state: { tick: 1ms }`,
  closed: 'subscribe: nobody, history: { size: 3, age: 1m }, state: true',
});
afterAll(() => file[Symbol.dispose]());
const server = sharedServer({ ...file.environment, MESSAGE_RATE: '0' });
let made = 0;
const freshName = (): string => `twin:client-${(made += 1)}`;
const truth = async (channel: string): Promise<ReadonlyMap<string, unknown>> =>
  (await server().app.get(Channels, { strict: false }).state(channel).all()).values;

function opened(): { readonly client: Client; [Symbol.dispose](): void } {
  const client = createClient({ url: server().url, token: mintToken(), WebSocket });
  return { client, [Symbol.dispose]: () => client.close() };
}

const isLive = (state: ChannelState): Promise<void> =>
  eventually('the state is live', () => state.getSnapshot().state === 'live');

describe('the state of the client library', () => {
  it('is a map that follows the server, and tells each change', async () => {
    using at = opened();
    const changes: StateChange[] = [];
    const state = openState(at.client, freshName(), { onChange: (change) => void changes.push(change) });
    let renders = 0;
    state.subscribe(() => (renders += 1));
    await isLive(state);
    const { version } = await state.set('a', { x: 1, y: 1 });
    await state.set('a', { x: 2, y: null });
    await state.remove('absent');
    await eventually('both changes have come', () => state.versionOf('a') === version + 1);
    expect(state.values).toEqual(new Map([['a', { x: 2 }]]));
    expect(state.getSnapshot().values).toBe(state.values);
    await state.remove('a');
    await eventually('the key is gone', () => state.values.size === 0);
    expect(changes.map(({ set, removed, isSnapshot }) => [[...set], removed, isSnapshot])).toEqual([
      [[], [], true],
      [[['a', { x: 1, y: 1 }]], [], false],
      [[['a', { x: 2 }]], [], false],
      [[], ['a'], false],
    ]);
    expect(renders).toBeGreaterThanOrEqual(4);
  });

  it('gives the value of a conflict, so that the change can be made from it', async () => {
    using at = opened();
    const state = openState(at.client, freshName());
    await isLive(state);
    const first = await state.set('n', 1);
    await state.set('n', 2, { ifVersion: first.version });
    await expect(state.set('n', 3, { ifVersion: first.version })).rejects.toMatchObject({
      code: 'CONFLICT',
      data: { key: 'n', value: 2, version: first.version + 1 },
    });
  });

  it('reads a state in parts while it changes, and again after lost connections', async () => {
    using at = opened();
    const channel = freshName();
    const state = server().app.get(Channels, { strict: false }).state(channel);
    const text = 'x'.repeat(15_000);
    await Promise.all(Array.from({ length: 150 }, (_, n) => state.set(`key ${n}`, { n, text })));
    const seen = openState(at.client, channel);
    let round = 0;
    const changing = setInterval(() => {
      round += 1;
      void state.set(`key ${round % 150}`, { round });
      void state.remove(`key ${(round * 7) % 150}`);
      void state.set(`key ${(round * 11) % 150}`, { round, text });
    }, 1);
    try {
      for (let times = 0; times < 3; times += 1) {
        await isLive(seen);
        for (const session of server().app.get(SessionRegistry, { strict: false })) session.close('going_away');
        await eventually('the connection is lost', () => seen.getSnapshot().state !== 'live');
      }
    } finally {
      clearInterval(changing);
    }
    await isLive(seen);
    await state.set('last', 1);
    await eventually('the last change has come', () => seen.values.get('last') === 1);
    expect(seen.values).toEqual(await truth(channel));
  });

  it('says why it is refused, and ends with close', async () => {
    using at = opened();
    const codes: string[] = [];
    const state = openState(at.client, 'closed:a', { onError: ({ code }) => void codes.push(code) });
    await eventually('it is refused', () => state.getSnapshot().state === 'refused');
    expect([state.getSnapshot().error?.code, codes]).toEqual(['FORBIDDEN', ['FORBIDDEN']]);
    state.close();
    expect(state.getSnapshot().state).toBe('waiting');
  });
});
