import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Channels } from '../../src/channels/channels.js';
import { OutboundContext } from '../../src/socket/outbound-context.js';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { sharedServer } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';

type Envelope = Record<string, unknown> & { readonly type: string };

/** A client of `v1.json.batch`. */
class BatchClient implements AsyncDisposable {
  /** The messages of each frame. */
  readonly frames: Envelope[][] = [];
  readonly sizes: number[] = [];
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
    socket.on('message', (data: Buffer) => {
      this.sizes.push(data.length);
      this.frames.push(JSON.parse(data.toString()) as Envelope[]);
    });
  }

  static async connect(url: string): Promise<BatchClient> {
    const headers = { authorization: `Bearer ${mintToken()}` };
    const client = new BatchClient(new WebSocket(url, ['v1.json.batch'], { headers }));
    await once(client.socket, 'open');
    expect(client.socket.protocol).toBe('v1.json.batch');
    return client;
  }

  get messages(): Envelope[] {
    return this.frames.flat();
  }

  /** Bytes on the network. */
  get bytesRead(): number {
    return (Reflect.get(this.socket, '_socket') as { readonly bytesRead: number }).bytesRead;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  async until(count: number): Promise<Envelope[]> {
    await eventually(`${count} messages`, () => this.messages.length >= count);
    return this.messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

const ADMIN = mintToken({ sub: 'root', roles: ['ADMIN'] });

const echoes = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => ({ type: 'echo', id: n + 1, data: { n } }));

const file = namespacesFile({ feed: 'subscribe: anyone, history: { size: 1000, age: 1m }' });
afterAll(() => file[Symbol.dispose]());
const server = sharedServer({ ...file.environment, MESSAGE_RATE: '0', MAX_BATCH_MESSAGES: '50' });

describe('v1.json.batch', () => {
  it('takes a list as its messages, in order, and answers a turn in one frame', async () => {
    await using client = await BatchClient.connect(server().url);
    client.send(echoes(20));
    const replies = await client.until(20);
    expect(replies.map(({ id, data }) => [id, data])).toEqual(echoes(20).map((_, n) => [n + 1, { n }]));
    expect(client.frames.length).toBeLessThan(20);
    for (const frame of client.frames) expect(Array.isArray(frame)).toBe(true);
  });

  it('takes a single message, and answers it as a list of one', async () => {
    await using client = await BatchClient.connect(server().url);
    client.send({ type: 'echo', id: 1, data: 'hi' });
    await client.until(1);
    expect(client.frames).toEqual([[{ v: 1, type: 'echo_reply', id: 1, data: 'hi' }]]);
  });

  it('brings publications of a turn in lists, the same for all subscribers, and v1.json as before', async () => {
    await using first = await BatchClient.connect(server().url);
    await using second = await BatchClient.connect(server().url);
    await using single = await connect(server().url);
    await single.request('subscribe', { channel: 'feed:a' });
    for (const client of [first, second]) {
      client.send({ type: 'subscribe', id: 1, data: { channel: 'feed:a' } });
      await client.until(1);
    }
    const channels = server().app.get(Channels, { strict: false });
    await Promise.all(Array.from({ length: 200 }, (_, n) => channels.publish('feed:a', { n, text: 'ü"\\' })));
    for (const client of [first, second]) {
      const publications = (await client.until(201)).slice(1);
      expect(publications.map(({ seq, data }) => [seq, data])).toEqual(
        publications.map((_, n) => [n + 1, { n, text: 'ü"\\' }]),
      );
      // At most 64 in a frame.
      expect(client.frames.length).toBeGreaterThanOrEqual(4);
      expect(Math.max(...client.frames.map(({ length }) => length))).toBeLessThanOrEqual(64);
    }
    for (let n = 0; n < 200; n += 1) expect(await single.next()).toMatchObject({ type: 'message', seq: n + 1 });
  });

  it('leaves a message that is longer than a list in a frame for itself', async () => {
    await using client = await BatchClient.connect(server().url);
    const text = 'x'.repeat(100_000);
    client.send([{ type: 'echo', id: 1, data: text }, ...echoes(3)]);
    await client.until(4);
    expect(client.frames[0]?.map(({ data }) => data)).toEqual([text]);
  });

  it('counts what is malformed on its own, and answers the rest', async () => {
    await using client = await BatchClient.connect(server().url);
    client.send('[1,{"type":"echo","id":"a"},"x",{"type":"nothing"},[]]');
    const replies = await client.until(5);
    expect(replies.map(({ type, code }) => code ?? type)).toEqual([
      'INVALID_MESSAGE_FORMAT',
      'echo_reply',
      'INVALID_MESSAGE_FORMAT',
      'UNKNOWN_MESSAGE_TYPE',
      'INVALID_MESSAGE_FORMAT',
    ]);
  });

  it.each([
    ['more than MAX_BATCH_MESSAGES', JSON.stringify(echoes(51))],
    ['an empty list', '[]'],
    ['a list without an end', '[{"type":"echo"}'],
  ])('%s is one INVALID_MESSAGE_FORMAT', async (_name, frame) => {
    await using client = await BatchClient.connect(server().url);
    client.send(frame);
    client.send({ type: 'echo', id: 'last' });
    const replies = await client.until(2);
    expect(replies.map(({ code, id }) => code ?? id)).toEqual(['INVALID_MESSAGE_FORMAT', 'last']);
  });

  it('costs as much as the messages alone: each is counted, and takes from the rate', async () => {
    await using strict = await startTestServer({ MESSAGE_RATE: '1', MESSAGE_BURST: '5' });
    await using client = await BatchClient.connect(strict.url);
    const before = await Scrape.of(strict);
    client.send(echoes(8));
    const replies = await client.until(8);
    expect(replies.filter(({ type }) => type === 'echo_reply')).toHaveLength(5);
    expect(replies.filter(({ code }) => code === 'RATE_LIMIT_EXCEEDED')).toHaveLength(3);
    const after = await Scrape.of(strict);
    expect(after.since(before, 'websocket_messages_received_total{type="echo"}')).toBeGreaterThanOrEqual(5);
  });

  it('ends with what was sent before the close, and with the close', async () => {
    await using client = await BatchClient.connect(server().url);
    client.send(Array.from({ length: 40 }, () => 1));
    expect(await client.closed).toBe(1008);
    expect(client.messages.filter(({ code }) => code === 'INVALID_MESSAGE_FORMAT')).toHaveLength(20);
  });

  it('compresses a list as a whole, once for all who get it, and shows what that saves', async () => {
    await using compressing = await startTestServer({
      ...file.environment,
      MESSAGE_RATE: '0',
      COMPRESS_MAX_PROCESSOR_PERCENT: '0',
    });
    await using first = await BatchClient.connect(compressing.url);
    await using second = await BatchClient.connect(compressing.url);
    for (const client of [first, second]) {
      expect(client.socket.extensions).toContain('permessage-deflate');
      client.send({ type: 'subscribe', id: 1, data: { channel: 'feed:b' } });
      await client.until(1);
    }
    const earlier = await Scrape.of(compressing);
    const channels = compressing.app.get(Channels, { strict: false });
    await Promise.all(Array.from({ length: 64 }, (_, n) => channels.publish('feed:b', { n, text: 'the same words' })));
    for (const client of [first, second]) {
      const publications = (await client.until(65)).slice(1);
      expect(publications.map(({ data }) => data)).toEqual(publications.map((_, n) => ({ n, text: 'the same words' })));
      const sent = client.sizes.reduce((sum, size) => sum + size, 0);
      expect(client.bytesRead).toBeLessThan(sent / 2);
    }
    const later = await Scrape.of(compressing);
    const lists = first.frames.length - 1;
    expect(later.since(earlier, 'gatehouse_compression_frames_total{outcome="compressed"}')).toBe(lists);
    const [before, after] = ['before', 'after'].map((stage) =>
      later.since(earlier, `gatehouse_compression_bytes_total{stage="${stage}"}`),
    ) as [number, number];
    expect(before).toBe(first.sizes.slice(1).reduce((sum, size) => sum + size, 0));
    expect(after).toBeLessThan(before / 2);
    const { body } = await api(compressing, 'GET /api/diagnostics', { token: ADMIN });
    expect(body).toMatchObject({
      compression: { state: 'on', listsFromBytes: 512, messagesFromBytes: 0, frames: { busy: 0, incompressible: 0 } },
    });
  });

  it('sends plain lists while the process is busy, and says so', async () => {
    await using busy = await startTestServer({ MESSAGE_RATE: '0', COMPRESS_MAX_PROCESSOR_PERCENT: '1' });
    const { compression } = busy.app.get(OutboundContext, { strict: false });
    await using client = await BatchClient.connect(busy.url);
    // As the meter does twice a second.
    compression.observeProcessor(0.5);
    client.send(echoes(40));
    await client.until(40);
    compression.observeProcessor(0.5);
    expect((await Scrape.of(busy)).value('gatehouse_compression_frames_total{outcome="busy"}')).toBeGreaterThan(0);
    expect((await api(busy, 'GET /api/diagnostics', { token: ADMIN })).body).toMatchObject({
      compression: { state: 'paused' },
    });
  });

  it('offers no compression with COMPRESS_BATCHES_FROM_BYTES=0', async () => {
    await using plain = await startTestServer({ COMPRESS_BATCHES_FROM_BYTES: '0' });
    await using client = await BatchClient.connect(plain.url);
    expect(client.socket.extensions).toBe('');
    client.send(echoes(40));
    await client.until(40);
    expect((await api(plain, 'GET /api/diagnostics', { token: ADMIN })).body).toMatchObject({
      compression: { state: 'off' },
    });
  });
});
