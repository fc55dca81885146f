import { eventually } from '../support/eventually.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';

const CHANNEL = 'feed:rolled';
const TICK_MS = 50;
/** Publications a second, as far as the machine goes. `npm run test:soak` has more. */
const RATE = Number(process.env.ROLL_RATE ?? 60);
const A_TICK = Math.ceil((RATE * TICK_MS) / 1_000);
/** Beyond it, the publisher waits for answers. */
const MAX_OPEN = 500;

interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Connects until it is in, as every client does that is not answered: a worker may be leaving. */
async function enter(port: number): Promise<TestClient> {
  for (;;) {
    const client = await connect(`ws://127.0.0.1:${port}/ws`, { handshakeTimeout: 30_000 }).catch(() => undefined);
    if (client !== undefined) return client;
  }
}

/** Follows the channel over all connections, as a client library does. */
export class Follower {
  readonly got: unknown[] = [];
  /** What became of its connections, for a test that fails. */
  readonly story: string[] = [];
  connections = 0;
  gaps = 0;
  private isOver = false;
  private client: TestClient | undefined;
  private position: Position | undefined;

  constructor(private readonly port: number) {}

  async follow(): Promise<void> {
    while (!this.isOver) {
      const client = await enter(this.port);
      this.client = client;
      this.connections += 1;
      client.send({ type: 'subscribe', id: 's', data: { channel: CHANNEL, since: this.position } });
      try {
        while (!this.isOver) this.take(await client.next());
      } catch (error) {
        // The worker has let it go.
        this.story.push(`${Date.now()} ${String(error)}`);
      }
      await client[Symbol.asyncDispose]();
    }
  }

  /** Whether it is subscribed, or has been: from then on it gets everything. */
  get hasBegun(): boolean {
    return this.position !== undefined;
  }

  end(): void {
    this.isOver = true;
    this.client?.socket.terminate();
  }

  /** Of 0, 1, 2 …, what has not come. */
  missing(count: number): number[] {
    const got = new Set(this.got);
    return [...Array(count).keys()].filter((number) => !got.has(number));
  }

  private take(message: Message): void {
    // Such as SERVER_BUSY of a worker that starts: it tries again over another connection.
    if (message.type === 'error') throw new Error(String(message.code));
    if (message.type === 'subscribe_reply') {
      const state = message['data'] as Position & { recovered: boolean; publications: { data: unknown }[] };
      if (this.position !== undefined && !state.recovered) this.gaps += 1;
      const since = JSON.stringify(this.position);
      this.story.push(`${Date.now()} since ${since}: ${state.epoch} ${state.seq}, ${state.publications.length} more`);
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
export class Publisher {
  private isOver = false;
  private client: TestClient | undefined;
  private readonly open = new Set<number>();
  private next = 0;

  constructor(private readonly port: number) {}

  get published(): number {
    return this.next;
  }

  async publish(): Promise<void> {
    while (!this.isOver || this.open.size > 0) {
      const client = await enter(this.port);
      this.client = client;
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

  /** Publishes nothing new. Resolves once all is acknowledged. */
  async end(): Promise<void> {
    this.isOver = true;
    await eventually('all is acknowledged', () => this.open.size === 0);
    this.client?.socket.terminate();
  }

  private tick(client: TestClient): void {
    for (let count = 0; count < A_TICK && !this.isOver && this.open.size < MAX_OPEN; count += 1) {
      this.open.add(this.next);
      send(client, this.next);
      this.next += 1;
    }
  }

  private take({ type, id }: Message): void {
    if (type === 'publish_reply') this.open.delete(Number(id));
  }
}

function send(client: TestClient, number: number): void {
  const data = { channel: CHANNEL, data: number, idempotencyKey: `n${number}` };
  client.send({ type: 'publish', id: String(number), data });
}
