import { describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { freshFolder, published, startCentre, startEdge, type EdgeServer } from '../support/edge.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import type { TestServer } from '../support/test-server.js';

const MIRROR = `{ mirror: ['feed:*'] }`;
const NOWHERE = 'ws://127.0.0.1:9/ws';

interface Subscribed {
  readonly epoch: string;
  readonly seq: number;
  readonly recovered: boolean;
  readonly publications: readonly { readonly seq: number; readonly data: unknown }[];
  readonly gap?: { readonly from: number | null; readonly to: number };
}

async function publish(centre: TestServer, channel: string, ...data: unknown[]): Promise<void> {
  const channels = centre.app.get(Channels, { strict: false });
  for (const each of data) await channels.publish(channels.named(channel), { data: each });
}

async function subscribe(client: TestClient, channel: string, since?: object): Promise<Subscribed> {
  const reply = await client.request('subscribe', { channel, since });
  expect(reply).toMatchObject({ type: 'subscribe_reply' });
  return reply.data as Subscribed;
}

/** The next messages, each as its seq and data, or as a gap. */
async function next(client: TestClient, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  while (found.length < count) {
    const message: Message = await client.next();
    found.push(message.type === 'message' ? [message.seq, message.data] : { [message.type]: message.data });
  }
  return found;
}

async function centreAndEdge(file = MIRROR) {
  const folder = await freshFolder();
  const centre = await startCentre();
  const link = await TcpProxy.start(centre.port);
  const upstream = `ws://127.0.0.1:${link.port}/ws`;
  const edge = await startEdge({ folder, upstream, file });
  await edge.isUp();
  return {
    folder,
    centre,
    link,
    upstream,
    edge,
    async [Symbol.asyncDispose]() {
      for (const each of [edge, link, centre, folder]) await each[Symbol.asyncDispose]();
    },
  };
}

async function cutLink({ edge, link }: { readonly edge: EdgeServer; readonly link: TcpProxy }): Promise<void> {
  link.refuses = true;
  link.cut();
  await eventually('the link is down', () => !edge.upstream.isUp);
}

describe('channels of the centre at an edge node', () => {
  it('come down with the positions of the centre, so that a client may move between the two', async () => {
    await using world = await centreAndEdge();
    const { centre, edge } = world;
    await publish(centre, 'feed:a', 'one', 'two');
    await using here = await connect(edge.url);
    const position = await subscribe(here, 'feed:a');
    expect(position).toMatchObject({ seq: 2, recovered: false });
    await publish(centre, 'feed:a', 'three');
    expect(await next(here, 1)).toEqual([[3, 'three']]);

    await using there = await connect(centre.url);
    const since = { epoch: position.epoch, seq: 2 };
    expect(await subscribe(there, 'feed:a', since)).toMatchObject({
      epoch: position.epoch,
      seq: 3,
      recovered: true,
      publications: [{ seq: 3, data: 'three' }],
    });
    await using back = await connect(edge.url);
    expect(await subscribe(back, 'feed:a', { epoch: position.epoch, seq: 1 })).toMatchObject({
      recovered: true,
      publications: [
        { seq: 2, data: 'two' },
        { seq: 3, data: 'three' },
      ],
    });
    const history = await back.request('history', { channel: 'feed:a' });
    expect(history.data).toMatchObject({ epoch: position.epoch, seq: 3, publications: [{ data: 'one' }, {}, {}] });
  });

  it('are served without the centre, and catch up when it is back, without a gap and nothing twice', async () => {
    await using world = await centreAndEdge();
    const { centre, edge, link } = world;
    await publish(centre, 'feed:a', 1, 2, 3);
    await using reader = await connect(edge.url);
    const { epoch } = await subscribe(reader, 'feed:a');
    await cutLink(world);
    await publish(centre, 'feed:a', 4, 5);

    await using late = await connect(edge.url);
    expect(await subscribe(late, 'feed:a', { epoch, seq: 1 })).toMatchObject({ seq: 3, publications: [{}, {}] });
    // It comes from the centre, where it has seen more than this node has.
    await using ahead = await connect(edge.url);
    expect(await subscribe(ahead, 'feed:a', { epoch, seq: 4 })).toEqual({
      channel: 'feed:a',
      epoch,
      seq: 4,
      recovered: true,
      publications: [],
    });
    await using stranger = await connect(edge.url);
    expect(await stranger.request('subscribe', { channel: 'feed:b' })).toMatchObject({
      type: 'error',
      code: 'UPSTREAM_UNAVAILABLE',
    });
    link.refuses = false;
    expect(await next(reader, 2)).toEqual([
      [4, 4],
      [5, 5],
    ]);
    expect(await next(late, 2)).toEqual([
      [4, 4],
      [5, 5],
    ]);
    expect(await next(ahead, 1)).toEqual([[5, 5]]);
    await publish(centre, 'feed:a', 6);
    for (const client of [reader, late, ahead]) expect(await next(client, 1)).toEqual([[6, 6]]);
  });

  it('are still there after a restart without the centre, with their positions', async () => {
    await using world = await centreAndEdge();
    const { centre, edge, folder } = world;
    await publish(centre, 'feed:a', 1, 2);
    await using reader = await connect(edge.url);
    const { epoch } = await subscribe(reader, 'feed:a');
    await publish(centre, 'feed:a', 3);
    await next(reader, 1);
    await edge[Symbol.asyncDispose]();

    await using again = await startEdge({ folder, upstream: NOWHERE, file: MIRROR });
    await using client = await connect(again.url);
    expect(await subscribe(client, 'feed:a', { epoch, seq: 1 })).toMatchObject({
      epoch,
      seq: 3,
      recovered: true,
      publications: [{ data: 2 }, { data: 3 }],
    });
    expect(await published(again, 'feed:a')).toEqual([1, 2, 3]);
  });

  it('have a gap where the centre has one: what was lost in an outage is told to every subscriber', async () => {
    await using world = await centreAndEdge();
    const { centre, edge, link } = world;
    await publish(centre, 'feed:a', 'first');
    await using reader = await connect(edge.url);
    const { epoch } = await subscribe(reader, 'feed:a');
    await cutLink(world);
    const many = Array.from({ length: 120 }, (_, index) => index + 2);
    await publish(centre, 'feed:a', ...many);
    link.refuses = false;
    // The centre keeps 50.
    const [gap, first] = await next(reader, 2);
    expect(gap).toEqual({ gap: { from: 2, to: 71 } });
    expect(first).toEqual([72, 72]);
    await next(reader, 49);
    await using late = await connect(edge.url);
    expect(await subscribe(late, 'feed:a', { epoch, seq: 1 })).toMatchObject({
      seq: 121,
      recovered: false,
      gap: { from: 2, to: 71 },
    });
    const scrape = await Scrape.of(edge);
    expect(scrape.value('gatehouse_edge_mirrored_total{outcome="gap"}')).toBe(1);
    expect(scrape.value('gatehouse_edge_mirrored_total{outcome="received"}')).toBe(51);
  });

  it('begin again with a gap if the centre has lost its memory', async () => {
    await using world = await centreAndEdge();
    const { centre, edge, link } = world;
    await publish(centre, 'feed:a', 1, 2, 3);
    await using reader = await connect(edge.url);
    const { epoch } = await subscribe(reader, 'feed:a');
    await cutLink(world);
    await using fresh = await startCentre();
    await publish(fresh, 'feed:a', 'new');
    link.target = fresh.port;
    link.refuses = false;
    const [gap, first] = await next(reader, 2);
    expect(gap).toEqual({ gap: { from: null, to: 0 } });
    expect(first).toEqual([1, 'new']);
    await using late = await connect(edge.url);
    expect(await subscribe(late, 'feed:a', { epoch, seq: 3 })).toMatchObject({ seq: 1, gap: { from: null } });
  });

  it('bring no gap for publications whose time was over, which the centre does not send any more', async () => {
    await using world = await centreAndEdge();
    const { centre, edge, link } = world;
    await publish(centre, 'feed:a', 1);
    await using reader = await connect(edge.url);
    const { epoch } = await subscribe(reader, 'feed:a');
    await cutLink(world);
    const channels = centre.app.get(Channels, { strict: false });
    await channels.publish(channels.named('feed:a'), { data: 'short', ttlMs: 1 });
    await publish(centre, 'feed:a', 3);
    await eventually('it has expired', async () => (await published(centre, 'feed:a')).length === 2);
    link.refuses = false;
    expect(await next(reader, 1)).toEqual([[3, 3]]);
    await using late = await connect(edge.url);
    expect(await subscribe(late, 'feed:a', { epoch, seq: 1 })).toMatchObject({
      recovered: true,
      publications: [{ seq: 3 }],
    });
  });

  it('cannot be published here, unless a rule forwards them: then they come back from the centre', async () => {
    await using world = await centreAndEdge(`{ mirror: ['feed:*'], forward: { channels: ['feed:up'] } }`);
    const { centre, edge } = world;
    await using client = await connect(edge.url, { claims: { sub: 'sensor-1' } });
    expect(await client.request('publish', { channel: 'feed:a', data: 1 })).toMatchObject({
      type: 'error',
      code: 'FORBIDDEN',
      message: expect.stringContaining('mirrored'),
    });
    expect(await subscribe(client, 'feed:up')).toMatchObject({ seq: 0 });
    const reply = await client.request('publish', { channel: 'feed:up', data: 'hello' });
    expect(reply.data).toEqual({ channel: 'feed:up' });
    expect(await next(client, 1)).toEqual([[1, 'hello']]);
    expect(await published(centre, 'feed:up')).toEqual(['hello']);
    expect(await published(edge, 'feed:up')).toEqual(['hello']);
  });

  it('are those that the centre lets this edge read', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre({ MAX_CHANNELS_PER_SESSION: '1' });
    // The one channel that the centre grants is read from the start.
    await using edge = await startEdge({ folder, upstream: centre.url, file: `{ mirror: ['feed:first', 'feed:*'] }` });
    await edge.isUp();
    await using client = await connect(edge.url);
    await eventually('the first is here', async () => {
      const { type } = await client.request('history', { channel: 'feed:first' });
      return type === 'history_reply';
    });
    expect(await client.request('subscribe', { channel: 'feed:a' })).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    const scrape = await Scrape.of(edge);
    expect(scrape.value('gatehouse_edge_mirrored_total{outcome="refused"}')).toBe(1);
  });
});
