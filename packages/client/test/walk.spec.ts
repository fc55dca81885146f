import { expect, it } from 'vitest';
import { createClient, type Channel, type Client } from '../src/index.js';
import { seededRandom, TestServer } from '../src/testing.js';
import { SOAK_TIMES } from '../../../test/support/soak.js';

const ROOM = 'room:lobby';
const WALKS = 250 * SOAK_TIMES;
const STEPS = 25;

/** What a reader knows: the state that it loaded last, and what was shown after that. */
interface Account {
  known: number[];
  loads: number;
}

/** A reader whose state is all numbers up to a position, as a database would have them. */
function read(server: TestServer, client: Client, random: () => number, published: number[]) {
  const account: Account = { known: [], loads: 0 };
  const channel = client.channel(ROOM, {
    load: async ({ signal }) => {
      account.loads += 1;
      const position = server.positionOf(ROOM);
      const state = [...published];
      await new Promise<void>((resolve) => void server.clock.setTimeout(resolve, random() * 500));
      if (random() < 0.2) throw new Error('the database is away');
      if (signal.aborted) return undefined;
      account.known = state;
      return position;
    },
    onMessage: ({ data }) => account.known.push(data as number),
  });
  return { account, channel };
}

async function walk(seed: number): Promise<string | undefined> {
  const random = seededRandom(seed);
  const server = new TestServer({ seed, latencyMs: 50, heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 } });
  const client = createClient({ url: 'ws://test/ws', ...server.environment });
  const published: number[] = [];
  const publish = (): void => {
    published.push(published.length);
    server.publish(ROOM, published.length - 1);
  };
  const readers = [read(server, client, random, published)];
  const spare: Channel[] = [];
  const events: (() => void)[] = [
    publish,
    publish,
    publish,
    publish,
    () => server.closeAll(1006),
    () => server.closeAll(1012, '500'),
    () => server.trim(ROOM, Math.floor(random() * 5)),
    () => server.lose(ROOM),
    () => server.swallow(),
    () => server.restore(),
    () => (server.refusal = () => ({ code: 1006, reason: '' })),
    () => (server.refusal = undefined),
    () => server.failNext('subscribe', 'SERVER_BUSY', 100),
    () => server.unsubscribe(ROOM, 'SERVER_BUSY'),
    () => server.emit('{'),
    () => readers.length < 3 && readers.push(read(server, client, random, published)),
    () => spare.push(client.channel(ROOM)),
    () => spare.pop()?.close(),
  ];
  for (let step = 0; step < STEPS; step += 1) {
    events[Math.floor(random() * events.length)]?.();
    await server.clock.advance(random() * 300);
  }
  server.restore();
  server.refusal = undefined;
  await server.clock.advance(150_000);
  publish();
  await server.clock.advance(20_000);
  const wrong = readers.find(({ account }) => account.known.join() !== published.join());
  const state = `${client.getSnapshot().state} ${readers.map(({ channel }) => channel.getSnapshot().state).join()}`;
  client.close();
  await server.clock.advance(30_000);
  if (server.clock.pending > 0) return `seed ${seed}: timers are left`;
  return (
    wrong &&
    `seed ${seed}: ${wrong.account.known.join()} of ${published.length} after ${wrong.account.loads} loads, ${state}`
  );
}

it(`shows each publication once and in order, or loads, in ${WALKS} random walks`, async () => {
  const failures: string[] = [];
  for (let seed = 1; seed <= WALKS && failures.length < 5; seed += 1) {
    const failure = await walk(seed);
    if (failure !== undefined) failures.push(failure);
  }
  expect(failures).toEqual([]);
});
