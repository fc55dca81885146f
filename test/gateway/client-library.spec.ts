import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fernet } from '../../packages/client/src/fernet.js';
import { msgpack } from '../../packages/client/src/msgpack.js';
import { eventually } from '../support/eventually.js';
import { follow, ROOM, useLibrary as use } from '../support/library-client.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startTestServer } from '../support/test-server.js';

describe('@gatehouse/client and a real server', () => {
  it('greets, asks, publishes and knows who is there', async () => {
    await using server = await startTestServer();
    await using used = use(server.url);
    const { client, errors } = used;
    await expect(client.request('echo', { text: 'hi' })).resolves.toEqual({ text: 'hi' });
    await expect(client.request('chat.nothing')).rejects.toMatchObject({ code: 'UNKNOWN_MESSAGE_TYPE' });
    const { channel, shown, isLive } = follow(used);
    await isLive();
    await channel.publish('one');
    await eventually('it is shown', () => shown.length === 1);
    await expect(channel.presence()).resolves.toMatchObject({ count: 1, members: [{ userId: 'alice' }] });
    await expect(channel.history()).resolves.toMatchObject({ seq: 1, publications: [{ seq: 1, data: 'one' }] });
    expect(errors).toEqual([]);
  });

  it('loses nothing over a cut connection and one that a proxy swallows', async () => {
    await using server = await startTestServer({ HEARTBEAT_INTERVAL_MS: '1000', HEARTBEAT_TIMEOUT_MS: '1000' });
    await using proxy = await TcpProxy.start(server.port);
    await using reader = use(`ws://127.0.0.1:${proxy.port}/ws`);
    await using writer = use(server.url, { claims: { sub: 'bob' } });
    const { shown, loads, isLive } = follow(reader);
    const publishing = writer.client.channel(ROOM);
    await isLive();
    await publishing.publish(1);
    await eventually('1 is shown', () => shown.length === 1);
    proxy.cut();
    await publishing.publish(2);
    await eventually('2 is shown', () => shown.length === 2);
    proxy.swallow();
    await publishing.publish(3);
    await eventually('the client notices', () => reader.client.getSnapshot().state !== 'open');
    proxy.cut();
    proxy.restore();
    await publishing.publish(4);
    await eventually('4 is shown', () => shown.length === 4);
    expect([shown, loads]).toEqual([[1, 2, 3, 4], ['first']]);
  });

  it('goes to the next server after a drain, and loads what the new one cannot know', async () => {
    const first = await startTestServer();
    await using proxy = await TcpProxy.start(first.port);
    await using used = use(`ws://127.0.0.1:${proxy.port}/ws`);
    const { channel, shown, loads, isLive } = follow(used);
    await isLive();
    await channel.publish('before');
    await eventually('it is shown', () => shown.length === 1);
    await using second = await startTestServer();
    proxy.target = second.port;
    await first.close();
    await eventually('it has loaded again', () => loads.length >= 2 && channel.getSnapshot().state === 'live');
    await channel.publish('after');
    await eventually('it is shown', () => shown.length === 2);
    expect(shown).toEqual(['before', 'after']);
  });

  it('speaks MessagePack, and encrypts', async () => {
    const key = Buffer.alloc(32, 7).toString('base64url');
    await using server = await startTestServer({ ENCRYPTION_KEYS: `${key}=` });
    await using used = use(server.url, { codec: msgpack, cipher: fernet(`${key}=`) });
    await expect(used.client.request('echo', { text: 'größe' })).resolves.toEqual({ text: 'größe' });
    await used.client.request('hello');
    const { shown, channel, isLive } = follow(used);
    await isLive();
    await channel.publish({ n: 1 });
    await eventually('it is shown', () => shown.length === 1);
    expect(shown).toEqual([{ n: 1 }]);
  });

  it('closes with 1000', async () => {
    await using server = await startTestServer();
    const sockets: WebSocket[] = [];
    const Remembered = class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
    await using used = use(server.url, { WebSocket: Remembered });
    await used.client.request('hello');
    const [socket] = sockets;
    const closed = once(socket as WebSocket, 'close');
    used.client.close();
    expect((await closed)[0]).toBe(1000);
  });
});
