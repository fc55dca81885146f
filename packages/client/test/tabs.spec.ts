import { describe, expect, it } from 'vitest';
import { createClient, type Client } from '../src/index.js';
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

  constructor(private readonly clock: VirtualClock) {}

  /** It answers nothing more, and keeps its locks. */
  freeze(tab: string): void {
    this.frozen.add(tab);
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
            holder?.end(new Error('stolen'));
            take();
          } else if (holder === undefined) take();
          else this.waiting.set(name, [...(this.waiting.get(name) ?? []), take]);
        }),
    };
  }

  channelsOf(tab: string): new (name: string) => Channel {
    const { channels, clock, frozen } = this;
    return class implements Channel {
      onmessage: ((event: never) => void) | null = null;

      constructor(private readonly name: string) {
        channels.add({ tab, name, channel: this });
      }

      postMessage(data: unknown): void {
        if (frozen.has(tab)) return;
        for (const other of channels) {
          if (other.channel === this || other.name !== this.name) continue;
          clock.setTimeout(() => frozen.has(other.tab) || other.channel.onmessage?.({ data } as never), 1);
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
    const options = { user: 'alice', locks: browser.locksOf(tab), BroadcastChannel: browser.channelsOf(tab) };
    const client: Client = createClient({
      url: 'ws://test/ws',
      ...server.environment,
      WebSocket: sharedSockets({ ...server.environment, ...options }),
    });
    const shown: unknown[] = [];
    const channel = client.channel(ROOM, { onMessage: ({ data }) => shown.push(data) });
    return { tab, client, shown, channel };
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

  it('forget a tab that is closed, and end the connection with the last', async () => {
    const { server, browser, tabs } = open(2);
    await server.clock.advance(5 * SECOND);
    browser.kill('tab-1');
    await server.clock.advance(SECOND);
    tabs[0]?.client.close();
    await server.clock.advance(SECOND);
    expect(server.connections).toBe(0);
  });

  it('have a connection each where the browser lacks a piece', () => {
    const { environment } = new TestServer();
    expect(sharedSockets({ ...environment, user: 'alice', locks: undefined })).toBe(environment.WebSocket);
  });
});
