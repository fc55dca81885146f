import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { GatehouseError, RealtimeGateway } from 'gatehouse';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EdgeEvents } from '../../src/edge/edge-events.js';
import { EDGE_CLAIMS, freshFolder, published, startCentre, startEdge } from '../support/edge.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { Scrape } from '../support/scrape.js';
import { connect } from '../support/test-client.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { mintToken, startTestServer } from '../support/test-server.js';

@RealtimeGateway()
class OrderGateway {
  @SubscribeMessage('order.place')
  place(@MessageBody('item') item: unknown): { placed: string } {
    if (typeof item !== 'string') throw new GatehouseError('VALIDATION_FAILED');
    return { placed: item };
  }
}

/** A gateway that only the centre has. */
@Module({ providers: [OrderGateway] })
class OrderModule {}

const NOWHERE = 'ws://127.0.0.1:9/ws';

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

describe('an edge node', () => {
  it('stores messages while the centre is away, and sends each once and in order when it is back', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    await using link = await TcpProxy.start(centre.port);
    link.refuses = true;
    await using edge = await startEdge({ folder, upstream: `ws://127.0.0.1:${link.port}/ws` });
    await using sensor = await connect(edge.url, { claims: { sub: 'sensor-7' } });
    for (const n of numbers(1, 600)) sensor.send({ type: 'alarm.heat', id: n, data: { n } });
    for (const n of numbers(1, 600)) {
      expect(await sensor.next()).toMatchObject({ type: 'alarm.heat_reply', id: n, data: { queued: true, seq: n } });
    }
    link.refuses = false;
    await edge.isEmpty();
    const arrived = (await published(centre, 'edge:alarm.heat')) as { data: { n: number }; userId: string }[];
    expect(arrived.map(({ data }) => data.n)).toEqual(numbers(1, 600));
    expect(arrived[0]).toMatchObject({ type: 'alarm.heat', userId: 'sensor-7', at: expect.any(Number) });
    expect(edge.outcomes).toEqual({ queued: 600, forwarded: 600 });
  });

  it('publishes in its own channels at once, and in those of the centre later', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    await using link = await TcpProxy.start(centre.port);
    link.refuses = true;
    await using edge = await startEdge({ folder, upstream: `ws://127.0.0.1:${link.port}/ws` });
    await using sensor = await connect(edge.url);
    const publish = (data: unknown) => sensor.request('publish', { channel: 'telemetry:a', data });
    expect(await publish({ celsius: 20 })).toMatchObject({ type: 'publish_reply', data: { seq: 1 } });
    expect(await publish(['é\u{feff}', '\u{feff}'])).toMatchObject({ data: { seq: 2 } });
    expect(await published(edge, 'telemetry:a')).toHaveLength(2);
    expect(await published(centre, 'telemetry:a')).toEqual([]);
    link.refuses = false;
    await edge.isEmpty();
    expect(await published(centre, 'telemetry:a')).toEqual([{ celsius: 20 }, ['é\u{feff}', '\u{feff}']]);
  });

  it('loses nothing where two rules send to one channel, whichever is sent first', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    await using link = await TcpProxy.start(centre.port);
    link.refuses = true;
    const rules = ['slow.*', 'fast.*'].map(
      (type, index) =>
        `{ name: r${index}, types: ['${type}'], into: 'edge:all', priority: ${index ? 'high' : 'normal'} }`,
    );
    const upstream = `ws://127.0.0.1:${link.port}/ws`;
    await using edge = await startEdge({ folder, upstream, file: `forward: [${rules.join(', ')}]` });
    await using sensor = await connect(edge.url);
    for (const n of numbers(1, 300)) await sensor.request('slow.x', n);
    await sensor.request('fast.x', 'now');
    link.refuses = false;
    await edge.isEmpty();
    const arrived = (await published(centre, 'edge:all')) as { data: unknown }[];
    expect(arrived.map(({ data }) => data).filter((data) => data !== 'now')).toEqual(numbers(1, 300));
    expect(arrived).toHaveLength(301);
    expect(edge.outcomes).toEqual({ queued: 301, forwarded: 301 });
  });

  it('takes the idempotency key of one user for no repeat of another', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    await using edge = await startEdge({ folder, upstream: centre.url });
    for (const sub of ['sensor-1', 'sensor-2']) {
      await using sensor = await connect(edge.url, { claims: { sub } });
      await sensor.request('publish', { channel: 'telemetry:hall', data: sub, idempotencyKey: '1' });
    }
    await edge.isEmpty();
    expect(await published(centre, 'telemetry:hall')).toEqual(['sensor-1', 'sensor-2']);
  });

  it('goes on where it was after a restart, in a run of its own', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    for (const round of [1, 2, 3]) {
      await using edge = await startEdge({ folder, upstream: NOWHERE });
      await using sensor = await connect(edge.url);
      expect(await sensor.request('alarm.x', round)).toMatchObject({ data: { queued: true, seq: round } });
    }
    await using edge = await startEdge({ folder, upstream: centre.url });
    await edge.isEmpty();
    expect(await published(centre, 'edge:alarm.x')).toMatchObject([{ data: 1 }, { data: 2 }, { data: 3 }]);
  });

  it('forwards nothing twice although the answers of the centre are lost', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    await using link = await TcpProxy.start(centre.port);
    await using edge = await startEdge({ folder, upstream: `ws://127.0.0.1:${link.port}/ws` });
    await edge.isUp();
    await using sensor = await connect(edge.url);
    for (const round of numbers(1, 4)) {
      // The centre publishes, and its answer is cut off.
      const before = (await published(centre, 'edge:alarm.x')).length;
      link.delayMs = 50;
      await sensor.request('alarm.x', { round });
      await eventually('the centre has it', async () => (await published(centre, 'edge:alarm.x')).length > before);
      link.cut();
      link.delayMs = 0;
      await edge.isEmpty();
    }
    expect(await published(centre, 'edge:alarm.x')).toMatchObject(numbers(1, 4).map((round) => ({ data: { round } })));
    expect(edge.outcomes.repeated).toBeGreaterThan(0);
  });

  it('lets the centre answer what goes through, and says UPSTREAM_UNAVAILABLE without it', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre({}, [OrderModule]);
    await using link = await TcpProxy.start(centre.port);
    const upstream = `ws://127.0.0.1:${link.port}/ws`;
    await using edge = await startEdge({ folder, upstream, file: `through: ['*']` });
    await edge.isUp();
    await using client = await connect(edge.url);
    expect(await client.request('order.place', { item: 'tea' })).toMatchObject({
      type: 'order.place_reply',
      data: { placed: 'tea' },
    });
    expect(await client.request('order.place', {})).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await client.request('order.cancel', {})).toMatchObject({ code: 'UNKNOWN_MESSAGE_TYPE' });
    // What an edge says itself would let a client publish with the rights of the edge.
    for (const type of ['edge.hello', 'edge.forward']) {
      expect(await client.request(type, { protocol: 1, run: 'a', records: [] })).toMatchObject({
        code: 'UNKNOWN_MESSAGE_TYPE',
      });
    }
    link.refuses = true;
    link.cut();
    await eventually('the link is down', () => !edge.upstream.isUp);
    expect(await client.request('order.place', {})).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it('keeps to itself what it does not forward, and takes nothing from guests', async () => {
    await using folder = await freshFolder();
    await using edge = await startEdge({ folder, upstream: NOWHERE, environment: { AUTH_MODE: 'optional' } });
    await using client = await connect(edge.url);
    expect(await client.request('other', {})).toMatchObject({ code: 'UNKNOWN_MESSAGE_TYPE' });
    expect(await client.request('alarm.local', {})).toMatchObject({ code: 'UNKNOWN_MESSAGE_TYPE' });
    expect(await client.request('echo', 'hi')).toMatchObject({ type: 'echo_reply', data: 'hi' });
    await using guest = await connect(edge.url, { claims: false });
    expect(await guest.request('alarm.x', {})).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(edge.outcomes).toEqual({});
  });

  it('drops what the centre refuses for good, counts it, and goes on with the rest', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    await using edge = await startEdge({ folder, upstream: centre.url });
    await using client = await connect(edge.url);
    for (const channel of ['telemetry:a', 'secret:a', 'telemetry:a']) {
      expect(await client.request('publish', { channel, data: channel })).toMatchObject({ type: 'publish_reply' });
    }
    await edge.isEmpty();
    expect(await published(centre, 'telemetry:a')).toEqual(['telemetry:a', 'telemetry:a']);
    expect(await published(centre, 'secret:a')).toEqual([]);
    expect(edge.outcomes).toEqual({ queued: 3, forwarded: 2, refused: 1 });
    const [stream] = [...edge.outbox.streams.values()];
    expect(stream?.counts.lost).toMatchObject({ refused: 1 });
  });

  it.each([
    ['is no centre', {}, EDGE_CLAIMS, 'unsupported'],
    ['does not give it the role EDGE', { EDGE_CENTRE: 'on' }, { sub: 'line-1', roles: ['SERVICE'] }, 'refused'],
  ])('keeps everything, and says why, if the upstream %s', async (_, environment, claims, state) => {
    await using folder = await freshFolder();
    await using upstream = await startTestServer(environment);
    await using edge = await startEdge({
      folder,
      upstream: upstream.url,
      environment: { EDGE_TOKEN: mintToken(claims) },
    });
    await eventually(`the upstream is ${state}`, () => edge.upstream.state === state);
    await using client = await connect(edge.url);
    expect(await client.request('alarm.x', 1)).toMatchObject({ data: { queued: true } });
    expect(edge.outcomes).toEqual({ queued: 1 });
  });
});

describe('an edge node that cannot get in', () => {
  it('keeps everything while its token is used up, and goes on with a newer one in the file', async () => {
    await using folder = await freshFolder();
    await using centre = await startCentre();
    const tokenFile = join(folder.path, 'token');
    await writeFile(tokenFile, mintToken({ ...EDGE_CLAIMS, exp: 1 }));
    const environment = { EDGE_TOKEN: '', EDGE_TOKEN_FILE: tokenFile };
    await using edge = await startEdge({ folder, upstream: centre.url, environment });
    await using client = await connect(edge.url);
    expect(await client.request('alarm.x', 1)).toMatchObject({ data: { queued: true } });
    await eventually('it is refused', () => edge.upstream.state === 'refused');
    expect(edge.upstream.detail).toContain('no newer one');
    await writeFile(tokenFile, mintToken(EDGE_CLAIMS));
    await edge.isEmpty();
    expect(await published(centre, 'edge:alarm.x')).toMatchObject([{ data: 1 }]);
  });

  it('is ready, and says what waits and for how long', async () => {
    await using folder = await freshFolder();
    await using edge = await startEdge({ folder, upstream: NOWHERE });
    await using client = await connect(edge.url);
    await client.request('alarm.x', 1);
    const answer = await fetch(`${edge.http}/ready`);
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { details: object }).details).toMatchObject({
      edge: { status: 'up', upstream: 'down', messages: 1, bytes: expect.any(Number), store: 'ok' },
    });
    const scrape = await Scrape.of(edge);
    expect(scrape.value('gatehouse_edge_messages_total{outcome="queued"}')).toBe(1);
    expect(scrape.value('gatehouse_edge_queued')).toBe(1);
    expect(scrape.value('gatehouse_edge_queued_bytes')).toBeGreaterThan(10);
    expect(scrape.value('gatehouse_edge_upstream_down_seconds')).toBeGreaterThanOrEqual(0);
    edge.app.get(EdgeEvents, { strict: false }).emit('fault', 'repaired', '/store');
    expect((await Scrape.of(edge)).value('gatehouse_edge_store_faults_total{fault="repaired"}')).toBe(1);
    expect(edge.logLines).toContainEqual(expect.objectContaining({ area: 'edge', fault: 'repaired' }));
  });
});

describe('the centre', () => {
  it('takes messages of edges from the role EDGE alone', async () => {
    await using centre = await startCentre();
    await using client = await connect(centre.url, { claims: { roles: ['ADMIN'] } });
    for (const type of ['edge.hello', 'edge.forward']) {
      expect(await client.request(type, { protocol: 1, run: 'a', records: [] })).toMatchObject({ code: 'FORBIDDEN' });
    }
  });

  it('refuses a version that it does not speak, and records without an order', async () => {
    await using centre = await startCentre();
    await using edge = await connect(centre.url, { claims: EDGE_CLAIMS });
    expect(await edge.request('edge.hello', { protocol: 2 })).toMatchObject({ code: 'UNSUPPORTED_VERSION' });
    const record = (seq: unknown) => ({ seq, channel: 'edge:a', data: 1 });
    for (const records of [[record(2), record(1)], [record(1), record(1)], [record('1')], [{}], [1], []]) {
      const reply = await edge.request('edge.forward', { run: 'a', records });
      expect(reply).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    expect(await published(centre, 'edge:a')).toEqual([]);
  });

  it('says of each record what became of it, and publishes none twice', async () => {
    await using centre = await startCentre();
    await using edge = await connect(centre.url, { claims: EDGE_CLAIMS });
    const records = [
      { seq: 3, channel: 'edge:a', data: 'a' },
      { seq: 5, channel: 'nowhere:a', data: 'b' },
      { seq: 6, channel: 'secret:a', data: 'c' },
      { seq: 8, channel: 'edge:a', data: 'd', ttlMs: -1 },
      { seq: 9, channel: 'edge:a', data: 'e', ttlMs: 60_000, key: 'k' },
    ];
    const refused = [
      { seq: 5, code: 'UNKNOWN_CHANNEL' },
      { seq: 6, code: 'FORBIDDEN' },
      { seq: 8, code: 'VALIDATION_FAILED' },
    ];
    const forward = async () => (await edge.request('edge.forward', { run: 'a', records })).data;
    expect(await forward()).toEqual({ upTo: 9, repeated: 0, refused });
    expect(await forward()).toEqual({ upTo: 9, repeated: 2, refused });
    expect(await published(centre, 'edge:a')).toEqual(['a', 'e']);
  });
});
