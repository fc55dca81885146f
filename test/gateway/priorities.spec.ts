import { afterAll, describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { OutboundContext } from '../../src/socket/outbound-context.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { sharedServer } from '../support/shared-server.js';
import { connect, type TestClient } from '../support/test-client.js';

const BIG = 'x'.repeat(64 * 1_024);
const HELD = (priority: string): string => `gatehouse_priority_frames_held_total{priority="${priority}"}`;
const DROPPED = (priority: string): string => `gatehouse_priority_frames_dropped_total{priority="${priority}"}`;

const file = namespacesFile({
  alarm: 'subscribe: anyone, priority: high, history: { size: 1000, age: 1m }',
  log: 'subscribe: anyone, priority: low, history: { size: 1000, age: 1m }',
  ticker: 'subscribe: anyone, priority: low, delivery: drop_oldest',
  news: 'subscribe: anyone, delivery: drop_oldest',
});
afterAll(() => file[Symbol.dispose]());
const server = sharedServer({
  ...file.environment,
  OUTBOUND_QUEUE_BYTES: String(4 * 1_048_576),
  HEARTBEAT_INTERVAL_MS: '0',
});

async function slowClient(...channels: readonly string[]): Promise<TestClient> {
  const client = await connect(server().url);
  for (const channel of channels) await client.request('subscribe', { channel });
  client.socket.pause();
  return client;
}

const publish = (channel: string, n: number): Promise<unknown> =>
  server().app.get(Channels, { strict: false }).publish(channel, { n, text: BIG });
const waiting = (): number =>
  Math.max(
    ...[...server().app.get(SessionRegistry, { strict: false })].map(({ connection }) => connection.waitingFrames),
  );

/** Publishes until so many frames wait for the slow client. Returns how many it published. */
async function fill(channel: string, frames: number): Promise<number> {
  let sent = 0;
  for (; waiting() < frames; sent += 1) {
    if (sent === 5_000) throw new Error('nothing waits');
    await publish(channel, sent);
  }
  return sent;
}

/** What the client reads, as `channel:n`, without what others got. */
async function readAll(client: TestClient, count: number): Promise<string[]> {
  client.socket.resume();
  const read: string[] = [];
  while (read.length < count) {
    const { channel, data } = await client.next();
    read.push(`${String(channel).split(':')[0] ?? ''}:${(data as { n: number }).n}`);
  }
  return read;
}

describe('namespaces with priorities', () => {
  it('overtake what waits for a slow reader, and each channel keeps its order', async () => {
    await using client = await slowClient('log:all', 'alarm:all');
    const before = await Scrape.of(server());
    const logs = await fill('log:all', 20);
    for (let n = 0; n < 3; n += 1) await publish('alarm:all', n);
    const read = await readAll(client, logs + 3);
    expect(read.filter((text) => text.startsWith('log'))).toEqual(Array.from({ length: logs }, (_, n) => `log:${n}`));
    expect(read.filter((text) => text.startsWith('alarm'))).toEqual(['alarm:0', 'alarm:1', 'alarm:2']);
    // At least those that waited when the alarms came, but for the portion that was leaving.
    expect(read.length - 1 - read.indexOf('alarm:2')).toBeGreaterThanOrEqual(15);
    const after = await Scrape.of(server());
    expect(after.since(before, HELD('high'))).toBe(3);
    expect(after.since(before, HELD('low'))).toBeGreaterThanOrEqual(20);
    expect(after.since(before, DROPPED('low'))).toBe(0);
  });

  it('are dropped low first, where the policy drops', async () => {
    await using client = await slowClient('ticker:all', 'news:all');
    const before = await Scrape.of(server());
    await fill('ticker:all', 40);
    let news = 0;
    const { priorities } = server().app.get(OutboundContext, { strict: false });
    while (priorities.dropped.low === 0) await publish('news:all', news++);
    for (let n = 0; n < 20; n += 1) await publish('news:all', news++);
    const after = await Scrape.of(server());
    expect(after.since(before, DROPPED('low'))).toBeGreaterThanOrEqual(20);
    expect(after.since(before, DROPPED('normal'))).toBe(0);
    client.socket.resume();
    const read: number[] = [];
    while (read.length < news) {
      const { channel, data } = await client.next();
      if (channel === 'news:all') read.push((data as { n: number }).n);
    }
    expect(read).toEqual(Array.from({ length: news }, (_, n) => n));
  });

  it('do not let a publication overtake the reply to its own subscribe', async () => {
    await using client = await slowClient('log:all');
    await fill('log:all', 10);
    client.send({ type: 'subscribe', id: 'late', data: { channel: 'alarm:all' } });
    const channels = server().app.get(Channels, { strict: false });
    const alarms = channels.named('alarm:all');
    const [session] = server().app.get(SessionRegistry, { strict: false });
    await eventually('it is subscribed', () => session !== undefined && channels.isSubscribed(session, alarms));
    await publish('alarm:all', 1);
    client.socket.resume();
    const about: unknown[] = [];
    while (about.length < 2) {
      const { id, channel } = await client.next();
      if (id === 'late' || channel === 'alarm:all') about.push(id ?? channel);
    }
    expect(about).toEqual(['late', 'alarm:all']);
  });
});
