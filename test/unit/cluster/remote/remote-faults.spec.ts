import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ChannelName } from '../../../../src/cluster/ports/broker.js';
import { encodeFrame, FrameReader } from '../../../../src/cluster/remote/frames.js';
import { SWEEP_MS } from '../../../../src/cluster/remote/host-nodes.js';
import type { RemoteEngine } from '../../../../src/cluster/remote/remote-engine.js';
import { RemoteLink } from '../../../../src/cluster/remote/remote-link.js';
import { ANSWER, CALL, type ToPrimary } from '../../../../src/cluster/remote/remote-messages.js';
import { eventually } from '../../../support/eventually.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';
import { draft, KEPT, UNKEPT } from '../broker-bench.js';
import { REPORT } from '../store-node.js';
import { RemoteGround } from './remote-ground.js';

const BUSY = expect.objectContaining({ code: 'SERVER_BUSY' }) as Error;
const channel = 'room:1' as ChannelName;
const LEASE_MS = 60_000;

/** What a worker hears from its engine. */
function heard(engine: RemoteEngine): string[] {
  const told: string[] = [];
  engine.broker.listen({
    published: (_name, { data }) => void told.push(String(data)),
    interrupted: () => void told.push('interrupted'),
  });
  engine.presence.listen({
    lost: (_name, userId) => void told.push(`${userId} lost`),
    back: (_name, userId) => void told.push(`${userId} back`),
  });
  engine.registry.listen({
    lost: ({ nodeId }) => void told.push(`lost ${nodeId}`),
    forgotten: () => void told.push('forgotten'),
  });
  engine.events.on('rejoined', () => void told.push('rejoined'));
  return told;
}

describe('a worker whose primary is gone', () => {
  it('refuses what must not be lost, and goes on among its own clients', async () => {
    await using ground = await RemoteGround.start();
    const engine = await ground.node('a');
    const told = heard(engine);
    await engine.broker.subscribe(channel);
    await ground.host.close();
    await eventually('it is noticed', () => !engine.link.isUp);
    await expect(engine.broker.publish(channel, draft('kept'), KEPT)).rejects.toEqual(BUSY);
    await expect(engine.broker.publish(channel, draft('all'), { ...UNKEPT, isForAllNodes: true })).rejects.toEqual(
      BUSY,
    );
    const mark = { edge: 'e', run: 'r', seq: 1, after: 0 };
    await expect(engine.broker.publish(channel, draft('marked'), { ...UNKEPT, mark })).rejects.toEqual(BUSY);
    await expect(engine.counts.take('user', 'alice', 1)).rejects.toEqual(BUSY);
    await expect(engine.bans.list()).rejects.toEqual(BUSY);
    await expect(engine.answers.claim('k', 'f')).rejects.toEqual(BUSY);
    await expect(engine.presence.add(channel, { sessionId: 's', userId: 'alice' })).rejects.toEqual(BUSY);
    await engine.broker.publish(channel, draft('here'), UNKEPT);
    expect(told).toContain('here');
  });

  it('finds another epoch when it is back, and states what it holds', async () => {
    await using ground = await RemoteGround.start();
    const [a, b] = [await ground.node('a'), await ground.node('b')];
    const told = heard(a);
    await a.broker.subscribe(channel);
    const before = await a.broker.publish(channel, draft('before'), KEPT);
    const life = await a.bans.life();
    await a.counts.take('user', 'alice', 1);
    await a.presence.add(channel, { sessionId: 's', userId: 'alice' });
    await ground.host.close();
    await ground.openHost();
    await eventually('it is back', () => told.includes('interrupted') && b.link.isUp);
    expect(told).toContain('rejoined');
    const after = await b.broker.publish(channel, draft('after'), KEPT);
    expect(after.position?.seq).toBe(1);
    expect(after.position?.epoch).not.toBe(before.position?.epoch);
    await eventually('it hears', () => told.includes('after'));
    expect(await a.bans.life()).not.toBe(life);
    await expect.poll(() => b.presence.members(channel)).toEqual([{ sessionId: 's', userId: 'alice' }]);
    await expect.poll(() => b.counts.byNode('user', 'alice')).toEqual(new Map([['a', 1]]));
    expect(await b.counts.take('user', 'alice', 1)).toBe(false);
    // Nobody was told that she had gone.
    expect(told.filter((word) => word.startsWith('alice'))).toEqual([]);
  });

  it('counts as gone if it does not answer in time', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'silent.sock');
    // Says hello and nothing more.
    const server = createServer((socket) => {
      const reader = new FrameReader((message) => {
        const [kind, id, method] = message as ToPrimary;
        if (kind === CALL && method === 'hello') socket.write(encodeFrame([ANSWER, id, 'life']));
      });
      socket.on('data', (chunk) => reader.push(chunk)).on('error', () => {});
    }).listen(path);
    await once(server, 'listening');
    const link = new RemoteLink({ path, timeoutMs: 100 });
    const reasons: string[] = [];
    link.on('down', (reason) => reasons.push(reason));
    await eventually('it is up', () => link.isUp);
    await expect(link.call('history', channel, {})).rejects.toEqual(BUSY);
    expect(reasons).toEqual(['the primary did not answer in time']);
    link.close();
    server.close();
  });
});

describe('the engine of the primary', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Moves the clock of the process on by more than a lease, in which only these report. */
  async function passLease(ground: RemoteGround, ...living: readonly RemoteEngine[]): Promise<void> {
    const now = performance.now.bind(performance);
    let aheadMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
    while (aheadMs < 1.5 * LEASE_MS) {
      aheadMs += SWEEP_MS;
      ground.host.nodes.sweep();
      for (const { registry } of living) await registry.report(REPORT);
    }
  }

  it('clears up after a worker that is silent for a lease, and tells one of the others', async () => {
    await using ground = await RemoteGround.start({ leaseMs: LEASE_MS });
    const [a, b, silent] = [await ground.node('a'), await ground.node('b'), await ground.node('silent')];
    const told = [heard(a), heard(b)];
    await silent.presence.add(channel, { sessionId: 's', userId: 'alice' });
    await silent.counts.take('user', 'alice', 1);
    expect(await a.counts.take('user', 'alice', 1)).toBe(false);
    await passLease(ground, a, b);
    await eventually('it is told', () => told.flat().length === 2);
    expect(told.flat()).toEqual(['lost silent', 'alice lost']);
    expect(await a.presence.members(channel)).toEqual([]);
    expect(await a.counts.take('user', 'alice', 1)).toBe(true);
    expect(a.registry.nodes.map(({ nodeId }) => nodeId).toSorted()).toEqual(['a', 'b']);
  });

  it('takes a worker back that it has given up, under another name, and whoever was gone is back', async () => {
    await using ground = await RemoteGround.start({ leaseMs: LEASE_MS });
    const [a, silent] = [await ground.node('a'), await ground.node('silent')];
    const told = heard(silent);
    const { incarnation } = silent.registry.self;
    await silent.presence.add(channel, { sessionId: 's', userId: 'alice' });
    await silent.counts.take('user', 'alice', 1);
    await passLease(ground, a);
    // It does not know yet. What it would write now would never be cleared.
    await expect(silent.counts.take('user', 'bob', 1)).rejects.toEqual(BUSY);
    await silent.registry.report(REPORT);
    expect(silent.registry.self.incarnation).not.toBe(incarnation);
    await eventually('she is back', () => told.includes('alice back'));
    expect(told).toEqual(['forgotten', 'alice back']);
    expect(await a.counts.take('user', 'alice', 1)).toBe(false);
    expect(await silent.counts.take('user', 'bob', 1)).toBe(true);
  });

  it('loses nobody while it stood still itself', async () => {
    await using ground = await RemoteGround.start({ leaseMs: LEASE_MS });
    const engine = await ground.node('a');
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 10 * LEASE_MS);
    ground.host.nodes.sweep();
    await engine.registry.report(REPORT);
    expect(engine.registry.nodes).toHaveLength(1);
  });

  it('cuts the connection to a worker that does not read, and goes on for the others', async () => {
    await using ground = await RemoteGround.start({ maxWaitingBytes: 100_000 });
    let overruns = 0;
    ground.host.on('overrun', () => (overruns += 1));
    const engine = await ground.node('a');
    const told = heard(engine);
    await engine.broker.subscribe(channel);
    const slow = connect(ground.path).on('error', () => {});
    slow.pause();
    await once(slow, 'connect');
    slow.write(encodeFrame([CALL, 1, 'subscribe', [[channel]]]));
    await eventually('it is subscribed', async () => {
      await engine.broker.publish(channel, draft('x'.repeat(10_000)), UNKEPT);
      return overruns > 0;
    });
    await engine.broker.publish(channel, draft('after'), UNKEPT);
    await eventually('the other hears', () => told.includes('after'));
    slow.destroy();
    expect(overruns).toBe(1);
  });

  it('closes a connection that speaks otherwise, and goes on', async () => {
    await using ground = await RemoteGround.start();
    const crashes: string[] = [];
    ground.host.on('crashed', (method) => crashes.push(method));
    const engine = await ground.node('a');
    const stranger = connect(ground.path);
    stranger.write(Buffer.alloc(64, 0xff));
    await once(stranger.resume(), 'close');
    await expect(engine.link.call('no such method')).rejects.toEqual(BUSY);
    await expect(engine.link.call('__proto__')).rejects.toEqual(BUSY);
    expect(crashes).toEqual(['a frame', 'no such method', '__proto__']);
    expect(await engine.broker.publish(channel, draft('a'), KEPT)).toMatchObject({ isRepeat: false });
  });

  it('holds on to no more than what is kept of a publication', async () => {
    await using ground = await RemoteGround.start();
    const engine = await ground.node('a');
    await engine.broker.publish(channel, draft('a'), KEPT);
    const { publications } = await ground.host.broker.memory.history(channel, {});
    // Not a view of all that was read from the socket, or of a pool: 64 KiB.
    const kept = publications.map(({ data }) => data as Buffer);
    expect(kept).toHaveLength(1);
    for (const { buffer, byteLength } of kept) expect(buffer.byteLength).toBe(byteLength);
  });
});
