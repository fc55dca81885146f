import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createClient, type Client, type GatehouseError } from '../src/index.js';
import type { PageEvent } from '../src/environment.js';
import { msgpack } from '../src/msgpack.js';
import { sharedSockets } from '../src/tabs.js';
import type { Channel, Locks } from '../src/tabs/messages.js';
import { TestServer, type VirtualClock } from '../src/testing.js';

const SECOND = 1_000;
const ROOM = 'room:lobby';

/** Web Locks and BroadcastChannels of one browser, as far as tabs use them. */
class TestBrowser {
  private readonly held = new Map<string, { end: (error?: Error) => void; tab: string }>();
  private readonly waiting = new Map<string, (() => void)[]>();
  private readonly channels = new Set<{ tab: string; name: string; channel: Channel }>();
  private readonly frozen = new Set<string>();
  /** What a tab that hangs learns later. */
  private readonly hanging = new Map<string, (() => void)[]>();

  constructor(private readonly clock: VirtualClock) {}

  /** It answers nothing more, and keeps its locks. */
  freeze(tab: string): void {
    this.frozen.add(tab);
  }

  hang(tab: string): void {
    this.hanging.set(tab, []);
  }

  /** It learns what happened meanwhile, in this order or the other. */
  wake(tab: string, order: 'as it happened' | 'backwards'): void {
    const news = this.hanging.get(tab) ?? [];
    this.hanging.delete(tab);
    for (const learn of order === 'backwards' ? news.toReversed() : news) learn();
  }

  private learn(tab: string, run: () => void): void {
    const news = this.hanging.get(tab);
    if (news === undefined) run();
    else news.push(run);
  }

  /** Its locks and channels go with it. */
  kill(tab: string): void {
    this.frozen.add(tab);
    for (const [name, lock] of this.held) if (lock.tab === tab) this.free(name);
  }

  locksOf(tab: string): Locks {
    return {
      request: (name, { steal }, run) =>
        new Promise((resolve, reject) => {
          if (this.frozen.has(tab)) return;
          const take = (): void => {
            if (this.frozen.has(tab)) return this.next(name);
            const own = { tab, end: (error?: Error) => (error ? reject(error) : resolve(undefined)) };
            this.held.set(name, own);
            void (async () => {
              await run();
              if (this.held.get(name) === own) this.free(name);
              resolve(undefined);
            })();
          };
          const holder = this.held.get(name);
          if (steal === true) {
            const stolen = Object.assign(new Error('stolen'), { name: 'AbortError' });
            if (holder !== undefined) this.learn(holder.tab, () => holder.end(stolen));
            take();
          } else if (holder === undefined) take();
          else this.waiting.set(name, [...(this.waiting.get(name) ?? []), take]);
        }),
    };
  }

  channelsOf(tab: string): new (name: string) => Channel {
    const { channels, clock, frozen } = this;
    const learn = this.learn.bind(this);
    return class implements Channel {
      onmessage: ((event: never) => void) | null = null;

      constructor(private readonly name: string) {
        channels.add({ tab, name, channel: this });
      }

      postMessage(data: unknown): void {
        if (frozen.has(tab)) return;
        for (const other of channels) {
          if (other.channel === this || other.name !== this.name) continue;
          clock.setTimeout(() => {
            if (!frozen.has(other.tab)) learn(other.tab, () => other.channel.onmessage?.({ data } as never));
          }, 1);
        }
      }

      close(): void {
        this.onmessage = null;
      }
    };
  }

  private free(name: string): void {
    this.held.delete(name);
    this.next(name);
  }

  private next(name: string): void {
    this.waiting.get(name)?.shift()?.();
  }
}

function open(count: number) {
  const server = new TestServer({ heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 } });
  const browser = new TestBrowser(server.clock);
  const tabs = Array.from({ length: count }, (_, index) => {
    const tab = `tab-${index}`;
    const pageEvents: ((event: PageEvent) => void)[] = [];
    const page = { hidden: false, listen: (on: (event: PageEvent) => void) => (pageEvents.push(on), () => {}) };
    const tell = (event: PageEvent): void => pageEvents.forEach((on) => on(event));
    const options = { user: 'alice', locks: browser.locksOf(tab), BroadcastChannel: browser.channelsOf(tab), page };
    const client: Client = createClient({
      url: 'ws://test/ws',
      ...server.environment,
      WebSocket: sharedSockets({ ...server.environment, ...options }),
    });
    const shown: unknown[] = [];
    const channel = client.channel(ROOM, { onMessage: ({ data }) => shown.push(data) });
    return { tab, client, shown, channel, tell };
  });
  return { server, browser, tabs };
}

describe('tabs of one user', () => {
  it('share one connection, each with its own requests and channels', async () => {
    const { server, tabs } = open(3);
    await server.clock.advance(5 * SECOND);
    expect([server.connections, tabs.map(({ client }) => client.getSnapshot().state)]).toEqual([
      1,
      ['open', 'open', 'open'],
    ]);
    const replies = tabs.map(({ client, tab }) => client.request('echo', tab));
    await server.clock.advance(SECOND);
    expect(await Promise.all(replies)).toEqual(['tab-0', 'tab-1', 'tab-2']);
    server.publish(ROOM, 1);
    await server.clock.advance(SECOND);
    tabs[0]?.channel.close();
    await server.clock.advance(5 * SECOND);
    server.publish(ROOM, 2);
    await server.clock.advance(SECOND);
    expect(tabs.map(({ shown }) => shown)).toEqual([[1], [1, 2], [1, 2]]);
  });

  it.each(['kill', 'freeze'] as const)('go on with another leader when theirs is gone: %s', async (end) => {
    const { server, browser, tabs } = open(3);
    await server.clock.advance(5 * SECOND);
    server.publish(ROOM, 1);
    await server.clock.advance(SECOND);
    browser[end]('tab-0');
    server.closeAll(1006);
    server.publish(ROOM, 2);
    await server.clock.advance(60 * SECOND);
    server.publish(ROOM, 3);
    await server.clock.advance(SECOND);
    expect(tabs.slice(1).map(({ shown }) => shown)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it.each(['as it happened', 'backwards'] as const)(
    'take the lead from one that hangs, which follows them later and drops its connection: news come %s',
    async (order) => {
      const { server, browser, tabs } = open(3);
      await server.clock.advance(5 * SECOND);
      browser.hang('tab-0');
      server.publish(ROOM, 1);
      await server.clock.advance(60 * SECOND);
      expect(tabs.slice(1).map(({ shown }) => shown)).toEqual([[1], [1]]);
      browser.wake('tab-0', order);
      await server.clock.advance(60 * SECOND);
      server.publish(ROOM, 2);
      await server.clock.advance(SECOND);
      expect(tabs.map(({ shown }) => shown)).toEqual([
        [1, 2],
        [1, 2],
        [1, 2],
      ]);
      expect(server.connections).toBe(1);
    },
  );

  it('forget a tab that is closed, and end the connection with the last', async () => {
    const { server, browser, tabs } = open(2);
    await server.clock.advance(5 * SECOND);
    browser.kill('tab-1');
    await server.clock.advance(SECOND);
    tabs[0]?.client.close();
    await server.clock.advance(SECOND);
    expect(server.connections).toBe(0);
  });

  it('go on over another one when the tab that leads is put away, and take it in again when it comes back', async () => {
    const { server, tabs } = open(2);
    await server.clock.advance(5 * SECOND);
    tabs[0]?.tell('gone');
    await server.clock.advance(30 * SECOND);
    expect(server.connections).toBe(1);
    server.publish(ROOM, 'while it was away');
    await server.clock.advance(SECOND);
    expect(tabs[1]?.shown).toEqual(['while it was away']);
    tabs[0]?.tell('shown');
    await server.clock.advance(30 * SECOND);
    server.publish(ROOM, 'for both');
    await server.clock.advance(SECOND);
    expect(tabs.map(({ shown }) => shown.at(-1))).toEqual(['for both', 'for both']);
    expect([server.connections, server.attempts.length]).toEqual([1, 2]);
  });

  it.each(['{"type":', '[7]', '7', '{"type":"message","channel":7}'])(
    'are told each of what the server sends and is no message: %s',
    async (frame) => {
      const { server, tabs } = open(2);
      const errors: GatehouseError[] = [];
      for (const { client } of tabs) client.on('error', (error) => errors.push(error));
      await server.clock.advance(5 * SECOND);
      server.emit(frame);
      await server.clock.advance(SECOND);
      expect(errors.map(({ code }) => code)).toEqual(['BAD_MESSAGE', 'BAD_MESSAGE']);
      server.publish(ROOM, 1);
      await server.clock.advance(SECOND);
      expect(tabs.map(({ shown }) => shown)).toEqual([[1], [1]]);
    },
  );

  it.each([null, 7, {}, { publications: 7, epoch: 'epoch-1' }])(
    'outlive a reply to a subscribe that is %j',
    async (reply) => {
      const { server, tabs } = open(2);
      let asked = 0;
      server.handle('subscribe', () =>
        asked++ === 0 ? reply : { channel: ROOM, ...server.positionOf(ROOM), recovered: false, publications: [] },
      );
      await server.clock.advance(30 * SECOND);
      expect(tabs.map(({ channel }) => channel.getSnapshot().state)).toEqual(['live', 'live']);
    },
  );

  it('ignore what another version of the application says in their channel', async () => {
    const { server, browser, tabs } = open(1);
    await server.clock.advance(5 * SECOND);
    const Other = browser.channelsOf('other');
    for (const message of [null, 'hi', 7, {}]) new Other('gatehouse:1:alice:ws://test/ws').postMessage(message);
    await server.clock.advance(SECOND);
    server.publish(ROOM, 1);
    await server.clock.advance(SECOND);
    expect(tabs.map(({ shown }) => shown)).toEqual([[1]]);
  });

  it('have a connection of their own where locks are denied, as in a sandboxed frame', async () => {
    const server = new TestServer();
    const browser = new TestBrowser(server.clock);
    const locks: Locks = { request: async () => Promise.reject(new DOMException('denied', 'SecurityError')) };
    const WebSocket = sharedSockets({
      ...server.environment,
      user: 'alice',
      locks,
      BroadcastChannel: browser.channelsOf('tab'),
    });
    const client = createClient({ url: 'ws://test/ws', ...server.environment, WebSocket });
    client.connect();
    await server.clock.advance(5 * SECOND);
    expect([client.getSnapshot().state, server.connections]).toEqual(['open', 1]);
  });

  it('end the client at once if its codec is not JSON, and say so', async () => {
    const server = new TestServer();
    const browser = new TestBrowser(server.clock);
    const options = { user: 'alice', locks: browser.locksOf('tab'), BroadcastChannel: browser.channelsOf('tab') };
    const WebSocket = sharedSockets({ ...server.environment, ...options });
    const client = createClient({ url: 'ws://test/ws', ...server.environment, WebSocket, codec: msgpack });
    const request = client.request('echo');
    await expect(Promise.all([request, server.clock.advance(SECOND)])).rejects.toMatchObject({
      code: 'CLOSED',
      cause: new TypeError('tabs share JSON only'),
    });
  });

  it('have a connection each where the browser lacks a piece', () => {
    // Node has Web Locks since version 24.
    vi.stubGlobal('navigator', {});
    onTestFinished(() => void vi.unstubAllGlobals());
    const { environment } = new TestServer();
    expect(sharedSockets({ ...environment, user: 'alice', locks: undefined })).toBe(environment.WebSocket);
  });
});
