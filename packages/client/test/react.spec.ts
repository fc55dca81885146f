// @vitest-environment happy-dom
import { act, createElement, useState, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createClient, type ChannelOptions } from '../src/index.js';
import {
  GatehouseProvider,
  useChannel,
  useConnection,
  usePresence,
  useRequest,
  type ChannelInReact,
} from '../src/react.js';
import { useChannelState } from '../src/state-react.js';
import type { StateArea } from '../src/state.js';
import { TestServer } from '../src/testing.js';

const SECOND = 1_000;
const ROOM = 'room:lobby';

beforeAll(() => void vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true));
afterAll(() => void vi.unstubAllGlobals());

/** A page with one component. What the component read at its last render is `shown()`. */
async function mount<T>(server: TestServer, useIt: () => T) {
  const page = { hidden: false, listen: () => () => {} };
  const client = createClient({ url: 'ws://test/ws', ...server.environment, page });
  let latest: T | undefined;
  function Component(): ReactNode {
    latest = useIt();
    return null;
  }
  const { document } = globalThis as unknown as { document: { createElement(name: string): Element } };
  const root = createRoot(document.createElement('div'));
  const pass = (ms: number): Promise<void> => act(() => server.clock.advance(ms));
  await act(async () => root.render(createElement(GatehouseProvider, { client }, createElement(Component))));
  const shown = (): T => latest as T;
  return { client, shown, pass, unmount: () => act(async () => root.unmount()) };
}

function asked(server: TestServer, type: string): unknown[] {
  return server.requests.filter((request) => request.type === type).map(({ data }) => data);
}

describe('useConnection', () => {
  it('connects, and renders each change', async () => {
    const server = new TestServer();
    const states: string[] = [];
    const { pass, unmount } = await mount(server, () => states.push(useConnection().state));
    await pass(SECOND);
    expect(states).toEqual(['idle', 'connecting', 'open']);
    server.closeAll(1006);
    await pass(10 * SECOND);
    expect(states.slice(3)).toContain('waiting');
    expect(states.at(-1)).toBe('open');
    await unmount();
  });
});

describe('useChannel', () => {
  it('calls the handlers of the last render, without another subscription', async () => {
    const server = new TestServer();
    const log: string[] = [];
    const { shown, pass, unmount } = await mount(server, () => {
      const [name, rename] = useState('first');
      const { state } = useChannel(ROOM, {
        onMessage: ({ data }) => log.push(`${name} message ${data as string}`),
        onGap: () => log.push(`${name} gap`),
        onError: ({ code }) => log.push(`${name} error ${code}`),
      });
      return { state, rename };
    });
    await pass(SECOND);
    expect(shown().state).toBe('live');
    await act(async () => shown().rename('second'));
    server.publish(ROOM, 'hello');
    await pass(SECOND);
    server.lose(ROOM);
    await pass(SECOND);
    server.unsubscribe(ROOM, 'FORBIDDEN');
    await pass(SECOND);
    expect(log).toEqual(['second message hello', 'second gap', 'second error FORBIDDEN']);
    expect(asked(server, 'subscribe')).toHaveLength(1);
    await unmount();
  });

  it('loads by the function of the last render', async () => {
    const server = new TestServer();
    server.publish(ROOM, 'before');
    const load = vi.fn<NonNullable<ChannelOptions['load']>>(async () => server.positionOf(ROOM));
    const { shown, pass, unmount } = await mount(server, () => useChannel(ROOM, { load: (why) => load(why) }).state);
    await pass(SECOND);
    expect([shown(), load.mock.calls]).toEqual(['live', [[expect.objectContaining({ reason: 'first' })]]]);
    await unmount();
  });

  it('leaves a channel that it does not name any more, and the last one when it is unmounted', async () => {
    const server = new TestServer();
    const { shown, pass, unmount } = await mount(server, () => {
      const [name, go] = useState('room:a');
      useChannel(name);
      return go;
    });
    await pass(SECOND);
    await act(async () => shown()('room:b'));
    await pass(5 * SECOND);
    await unmount();
    await server.clock.advance(5 * SECOND);
    const channels = (type: string) => asked(server, type).map((data) => (data as { channel: string }).channel);
    expect([channels('subscribe'), channels('unsubscribe')]).toEqual([
      ['room:a', 'room:b'],
      ['room:a', 'room:b'],
    ]);
  });

  it('publishes and reads the history, and fails with NOT_CONNECTED before it is mounted', async () => {
    const server = new TestServer();
    const renders: ChannelInReact<unknown>[] = [];
    const { shown, pass, unmount } = await mount(server, () => {
      const channel = useChannel(ROOM);
      renders.push(channel);
      return channel;
    });
    const [first] = renders;
    await expect(first?.publish('too early')).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(first?.history()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await pass(SECOND);
    const publishing = shown().publish('hello');
    await pass(SECOND);
    expect(await publishing).toMatchObject({ seq: 1 });
    const reading = shown().history({ limit: 1 });
    await pass(SECOND);
    expect(await reading).toMatchObject({ publications: [{ data: 'hello' }] });
    await unmount();
  });
});

describe('usePresence', () => {
  it('lists who is in the channel, and nobody of a channel that it has just been given', async () => {
    const server = new TestServer();
    const { shown, pass, unmount } = await mount(server, () => {
      const [name, go] = useState(ROOM);
      return { members: usePresence(name), go };
    });
    expect(shown().members).toBeUndefined();
    await pass(SECOND);
    server.presence(ROOM, 'join', 'bob');
    await pass(SECOND);
    expect(shown().members?.map(({ userId }) => userId)).toContain('bob');
    await act(async () => shown().go('room:other'));
    expect(shown().members).toBeUndefined();
    await unmount();
  });
});

describe('useRequest', () => {
  it('is pending until the reply is there', async () => {
    const server = new TestServer();
    const { client, shown, pass, unmount } = await mount(server, () => useRequest('echo'));
    client.connect();
    await pass(SECOND);
    expect(shown()).toMatchObject({ pending: false, reply: undefined, error: undefined });
    let reply: unknown;
    await act(
      async () =>
        void shown()
          .send('hello')
          .then((data: unknown) => (reply = data)),
    );
    expect(shown().pending).toBe(true);
    await pass(SECOND);
    expect([reply, shown()]).toMatchObject(['hello', { pending: false, reply: 'hello', error: undefined }]);
    await unmount();
  });

  it('shows the error of a request that failed, and rejects with it', async () => {
    const server = new TestServer();
    const { client, shown, pass, unmount } = await mount(server, () => useRequest('echo'));
    client.connect();
    await pass(SECOND);
    server.failNext('echo', 'FORBIDDEN');
    const codes: unknown[] = [];
    await act(
      async () =>
        void shown()
          .send('hello')
          .catch(({ code }: { code: string }) => codes.push(code)),
    );
    await pass(SECOND);
    expect([codes, shown()]).toMatchObject([['FORBIDDEN'], { pending: false, error: { code: 'FORBIDDEN' } }]);
    await unmount();
  });

  it('shows the last request only, whichever reply comes last', async () => {
    const server = new TestServer({ latencyMs: 0 });
    const { client, shown, pass, unmount } = await mount(server, () => useRequest('slow'));
    client.connect();
    await pass(SECOND);
    server.handle('slow', (data) => (data === 'second' ? data : undefined));
    await act(
      async () =>
        void shown()
          .send('first', { timeoutMs: 2 * SECOND })
          .catch(() => {}),
    );
    await act(async () => void shown().send('second'));
    await pass(SECOND);
    expect(shown()).toMatchObject({ pending: false, reply: 'second' });
    await pass(5 * SECOND);
    expect(shown()).toMatchObject({ pending: false, reply: 'second', error: undefined });
    await unmount();
  });
});

describe('useChannelState', () => {
  const CHANNEL = 'fleet:oslo';
  const HERE: StateArea = [0, 0, 1, 1];
  const THERE: StateArea = [25, 25, 26, 26];

  it('renders the values, and each change of them', async () => {
    const server = new TestServer({ latencyMs: 0 });
    const reply = { epoch: 'e', seq: 1, state: { a: 1 }, versions: { a: 1 } };
    server.handle('subscribe', () => reply);
    const { shown, pass, unmount } = await mount(server, () => useChannelState(CHANNEL));
    expect([shown().state, shown().values.size]).toEqual(['waiting', 0]);
    await pass(SECOND);
    expect([shown().state, Object.fromEntries(shown().values)]).toEqual(['live', { a: 1 }]);
    server.emit({ type: 'message', channel: CHANNEL, epoch: 'e', seq: 2, data: { set: { b: 2 } } } as { type: string });
    await pass(SECOND);
    expect(Object.fromEntries(shown().values)).toEqual({ a: 1, b: 2 });
    await unmount();
    expect(shown().channel?.getSnapshot().state).toBe('waiting');
  });

  it('looks at another box only if its corners have changed', async () => {
    const server = new TestServer({ latencyMs: 0 });
    server.handle('subscribe', () => ({ channel: CHANNEL, recovered: false, publications: [] }));
    const grid = { cell: 10, maxCells: 4, wrap: 0 };
    server.handle('area', () => ({ entered: [], left: [], cells: [], grid }));
    const { shown, pass, unmount } = await mount(server, () => {
      const [area, look] = useState(HERE);
      useChannelState(CHANNEL, { area: [...area] });
      return look;
    });
    const boxes = () => asked(server, 'area').flatMap((data) => (data as { box?: StateArea }).box?.join() ?? []);
    await pass(SECOND);
    await act(async () => shown()([...HERE]));
    await pass(SECOND);
    expect(new Set(boxes())).toEqual(new Set([HERE.join()]));
    const before = boxes().length;
    await act(async () => shown()(THERE));
    await pass(SECOND);
    expect(boxes().slice(before)).toEqual([THERE.join()]);
    await unmount();
  });
});
