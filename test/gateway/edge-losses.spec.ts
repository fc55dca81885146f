import { expect, it } from 'vitest';
import { EdgeLosses, type LossOfEdge } from '../../src/edge/centre/edge-losses.js';
import { freshFolder, startCentre, startEdge } from '../support/edge.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connect } from '../support/test-client.js';
import type { TestServer } from '../support/test-server.js';

const FILE = `forward: { name: small, types: ['alarm.*'], max_bytes: 64KiB, on_full: drop_oldest }`;
const NOWHERE = 'ws://127.0.0.1:9/ws';

async function dropSome(edge: TestServer): Promise<void> {
  await using sensor = await connect(edge.url);
  for (let n = 0; n < 12; n += 1) await sensor.request('alarm.x', 'x'.repeat(10_000));
}

it('tells the centre once what an edge has lost without it, also after a restart', async () => {
  await using folder = await freshFolder();
  let dropped = 0;
  {
    await using edge = await startEdge({ folder, upstream: NOWHERE, file: FILE });
    await dropSome(edge);
    dropped = edge.outcomes.dropped ?? 0;
    expect(dropped).toBeGreaterThan(3);
  }
  await using centre = await startCentre();
  await using link = await TcpProxy.start(centre.port);
  const upstream = `ws://127.0.0.1:${link.port}/ws`;
  const told: LossOfEdge[] = [];
  centre.app.get(EdgeLosses, { strict: false }).on('lost', (loss) => told.push(loss));
  await using edge = await startEdge({ folder, upstream, file: FILE });
  await eventually('it is told', () => told.length > 0);
  await edge.isEmpty();
  const loss = { edge: 'line-1', rule: 'small', outcome: 'dropped', messages: dropped };
  expect(told).toEqual([loss]);
  expect((await Scrape.of(centre)).value('gatehouse_edge_losses_total{outcome="dropped"}')).toBe(dropped);
  const [stream] = edge.outbox.streams.values();
  await eventually('the disk knows', () => stream?.counts.told.dropped === dropped);
  await edge[Symbol.asyncDispose]();

  await using again = await startEdge({ folder, upstream, file: FILE });
  await again.isUp();
  const [kept] = again.outbox.streams.values();
  expect(kept?.counts).toMatchObject({ lost: { dropped }, told: { dropped } });
  expect(told).toEqual([loss]);
});

it('counts a loss once although it is announced again, and anew for another store', () => {
  const losses = new EdgeLosses();
  const counts: number[] = [];
  losses.on('lost', ({ messages }) => counts.push(messages));
  const announce = (after: number, total: number): void =>
    losses.announce('line-1', [{ rule: 'small', outcome: 'expired', after, total }]);
  announce(0, 5);
  announce(0, 5);
  announce(0, 8);
  announce(8, 9);
  // A new store begins at 0.
  announce(0, 2);
  losses.announce('line-2', [{ rule: 'small', outcome: 'expired', after: 3, total: 4 }]);
  expect(counts).toEqual([5, 3, 1, 2, 1]);
});
