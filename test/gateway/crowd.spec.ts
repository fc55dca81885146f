import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PendingConnections } from '../../src/upgrade/pending/pending-connections.js';
import { UpgradeEvents } from '../../src/upgrade/upgrade-events.js';
import { eventually } from '../support/eventually.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const CROWD = 300;
/** What 64 in each turn of the event loop can make between two immediates of a test. */
const MOST = 128;

async function reach({ port }: TestServer): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function answered(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString().split('\r\n', 1)[0] ?? '';
}

describe('a crowd that comes at once', () => {
  it('is let in a few in each turn of the event loop, so that others are answered meanwhile', async () => {
    await using server = await startTestServer({ MAX_HTTP_CONNECTIONS_PER_IP: '0' });
    const request = [
      `GET /ws HTTP/1.1`,
      `Host: 127.0.0.1:${server.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Authorization: Bearer ${mintToken()}`,
      '\r\n',
    ].join('\r\n');
    const counts = [0];
    const upgrades = server.app.get(UpgradeEvents, { strict: false });
    upgrades.on('accepted', () => counts.push((counts.pop() ?? 0) + 1));
    const sockets = await Promise.all(Array.from({ length: CROWD }, () => reach(server)));
    const pending = server.app.get(PendingConnections, { strict: false });
    await eventually('all are accepted', () => pending.size === CROWD);
    const heard = vi.spyOn(pending, 'heard');
    onTestFinished(() => heard.mockRestore());
    const waiting: number[] = [];
    let isComing = true;
    const watch = (): void => {
      if ((counts.at(-1) ?? 0) > 0) waiting.push(new Set(heard.mock.calls.map(([socket]) => socket)).size);
      counts.push(0);
      if (isComing) setImmediate(watch);
    };
    watch();
    const answers = Promise.all(sockets.map(answered));
    for (const socket of sockets) socket.write(request);
    expect(new Set(await answers)).toEqual(new Set(['HTTP/1.1 101 Switching Protocols']));
    isComing = false;
    expect(counts.reduce((sum, count) => sum + count)).toBe(CROWD);
    expect(Math.max(...counts)).toBeLessThanOrEqual(MOST);
    // None counts as silent while it waits for its turn.
    expect(waiting[0]).toBe(CROWD);
    for (const socket of sockets) socket.destroy();
  });
});
