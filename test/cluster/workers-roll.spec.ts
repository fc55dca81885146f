import { expect, it } from 'vitest';
import { buildServer } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { WorkersProcess } from '../support/workers-process.js';

const CHANNEL = 'feed:rolled';
/** 500 a second, as far as the machine goes. */
const TICK_MS = 10;
const A_TICK = 5;
/** Beyond it, the publisher waits for answers. */
const MAX_OPEN = 500;

interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Connects until it is in: a worker may be leaving. */
async function enter(port: number): Promise<TestClient> {
  for (;;) {
    const client = await connect(`ws://127.0.0.1:${port}/ws`).catch(() => undefined);
    if (client !== undefined) return client;
  }
}

/** Follows the channel over all connections, as a client library does. */
class Follower {
  readonly got: unknown[] = [];
  connections = 0;
  gaps = 0;
  isOver = false;
  private position: Position | undefined;

  constructor(private readonly port: number) {}

  async follow(): Promise<void> {
    while (!this.isOver) {
      const client = await enter(this.port);
      this.connections += 1;
      client.send({ type: 'subscribe', id: 's', data: { channel: CHANNEL, since: this.position } });
      try {
        while (!this.isOver) this.take(await client.next());
      } catch {
        // The worker has let it go.
      }
      await client[Symbol.asyncDispose]();
    }
  }

  private take(message: Message): void {
    // Such as SERVER_BUSY of a worker that starts: it tries again over another connection.
    if (message.type === 'error') throw new Error(String(message.code));
    if (message.type === 'subscribe_reply') {
      const state = message['data'] as Position & { recovered: boolean; publications: { data: unknown }[] };
      if (this.position !== undefined && !state.recovered) this.gaps += 1;
      this.got.push(...state.publications.map(({ data }) => data));
      this.position = { epoch: state.epoch, seq: state.seq };
    } else if (message.type === 'message') {
      const { epoch, seq, data } = message as unknown as Position & { data: unknown };
      this.got.push(data);
      this.position = { epoch, seq };
    }
  }
}

/** Publishes 0, 1, 2 … and sends again, under the same key, what was not acknowledged. */
class Publisher {
  acknowledged = 0;
  isOver = false;
  private readonly open = new Set<number>();
  private next = 0;

  constructor(private readonly port: number) {}

  get published(): number {
    return this.next;
  }

  async publish(): Promise<void> {
    while (!this.isOver || this.open.size > 0) {
      const client = await enter(this.port);
      for (const number of this.open) send(client, number);
      const timer = setInterval(() => this.tick(client), TICK_MS);
      try {
        while (!this.isOver || this.open.size > 0) this.take(await client.next());
      } catch {
        // The worker has let it go.
      }
      clearInterval(timer);
      await client[Symbol.asyncDispose]();
    }
  }

  private tick(client: TestClient): void {
    for (let count = 0; count < A_TICK && !this.isOver && this.open.size < MAX_OPEN; count += 1) {
      this.open.add(this.next);
      send(client, this.next);
      this.next += 1;
    }
  }

  private take({ type, id }: Message): void {
    if (type === 'publish_reply' && this.open.delete(Number(id))) this.acknowledged += 1;
  }
}

function send(client: TestClient, number: number): void {
  const data = { channel: CHANNEL, data: number, idempotencyKey: `n${number}` };
  client.send({ type: 'publish', id: String(number), data });
}

it('a rolling restart of two workers under 500 publications a second loses nothing and doubles nothing', async () => {
  await using build = await buildServer();
  await using machine = await WorkersProcess.start(build, { MESSAGE_RATE: '0', CONNECTION_RATE_PER_IP: '0' });
  const former = machine.pids;
  const followers = Array.from({ length: 6 }, () => new Follower(machine.port));
  const following = followers.map((follower) => follower.follow());
  await eventually('all follow', () => followers.every(({ connections }) => connections === 1));
  const publisher = new Publisher(machine.port);
  const publishing = publisher.publish();
  await eventually('it publishes', () => followers.every(({ got }) => got.length > 100));
  machine.process.signal('SIGHUP');
  await machine.process.wrote(/"msg":"rolling restart: (?:all workers are new|stopped)/);
  expect(machine.process.output).toContain('rolling restart: all workers are new');
  expect(machine.pids.filter((pid) => former.includes(pid))).toEqual([]);

  publisher.isOver = true;
  await eventually('all is acknowledged', () => publisher.acknowledged === publisher.published);
  const all = publisher.published;
  await eventually('all has arrived', () => followers.every(({ got, gaps }) => got.length >= all || gaps > 0));
  expect(followers.map(({ gaps }) => gaps)).toEqual(followers.map(() => 0));
  for (const follower of followers) follower.isOver = true;
  // Ends what they wait for.
  machine.process.signal('SIGTERM');
  await Promise.all([publishing, ...following].map((promise) => promise.catch(() => {})));
  for (const { got } of followers)
    expect(got.toSorted((a, b) => Number(a) - Number(b))).toEqual([...Array(all).keys()]);
  // Each of them was let go at least once.
  for (const { connections } of followers) expect(connections).toBeGreaterThan(1);
});
