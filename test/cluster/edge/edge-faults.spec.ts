// @module-tag redis
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { build as bundle } from 'esbuild';
import { expect, it } from 'vitest';
import { api } from '../../support/api-client.js';
import { spawnBound } from '../../support/bound-process.js';
import { buildServer, type Build } from '../../support/built-server.js';
import { eventually } from '../../support/eventually.js';
import { namespacesFile } from '../../support/namespaces-file.js';
import { DURABLE, RedisServer } from '../../support/redis-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { mintToken } from '../../support/test-server.js';
import { Nodes } from '../scenarios/nodes.js';
import { randomNumbers } from '../scenarios/walk.js';
import { MovingReader } from './moving-reader.js';

/** How long there are messages. `npm run test:soak` has more. */
const SECONDS = Number(process.env.EDGE_SECONDS ?? 2);
const SEED = Number(process.env.EDGE_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** A starved machine needs many times as long as the messages take. */
const TIMEOUT_MS = (900 + 3 * SECONDS) * 1_000;
const NAMESPACE = 'subscribe: anyone, publish: [EDGE], history: { size: 1000000, age: 1h }';
const CHANNELS = ['feed:0', 'feed:1', 'feed:2'];
const PAGE = 1_000;
/** Channels of the centre that come down. Of the second, most is lost in an outage. */
const MIRRORED = ['news:all', 'brief:all'];
const NAMESPACES = {
  feed: NAMESPACE,
  news: 'subscribe: anyone, history: { size: 1000000, age: 1h }',
  brief: 'subscribe: anyone, history: { size: 20, age: 1h }',
};

interface Page {
  readonly epoch: string;
  readonly seq: number;
  readonly publications: readonly { readonly seq: number; readonly data: number }[];
}

/** Everything that was ever published in a channel. */
async function published(http: string, channel: string): Promise<number[]> {
  const all: number[] = [];
  for (let since = '', seq = 0; ;) {
    const { body } = await api({ http }, `GET /api/channels/${channel}/history?limit=${PAGE}${since}`);
    const page = body as Page;
    all.push(...page.publications.map(({ data }) => data));
    seq = page.publications.at(-1)?.seq ?? page.seq;
    if (seq >= page.seq) return all;
    since = `&sinceEpoch=${page.epoch}&sinceSeq=${seq}`;
  }
}

/** Compiles the program of the edge once: each start by tsx took 1.7 s of processor time. */
async function edgeProgram({ folder }: Build): Promise<string> {
  // Where the compiled client library is, which the edge loads.
  const outfile = join(folder, 'edge-process.mjs');
  const entryPoints = ['test/cluster/edge/edge-process.ts'];
  await bundle({ entryPoints, outfile, bundle: true, packages: 'external', format: 'esm', platform: 'node' });
  return outfile;
}

/** The process of the edge, which is started again after each kill with the store that it left. */
class Edge implements AsyncDisposable {
  /** Numbers that the edge said were on the disk. */
  readonly stored: number[] = [];
  /** Every number that it was given: those that it did not confirm may be there or not. */
  given = 0;
  waiting: number | undefined;
  kills = 0;
  private child!: ReturnType<typeof spawnBound>;

  constructor(
    private readonly program: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  async start(): Promise<void> {
    const child = spawnBound(process.execPath, [this.program], {
      env: { ...process.env, ...this.environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin?.on('error', () => {});
    this.child = child;
    if (child.stdout === null) throw new Error('there is no output');
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => this.read(line));
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`the edge ended with ${code} before it had opened`);
    });
    failed.catch(() => {});
    await Promise.race([once(lines, 'line'), failed]);
  }

  give(): void {
    this.given += 1;
    this.child.stdin?.write(`${this.given}\n`);
  }

  async kill(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
    this.kills += 1;
  }

  async isEmpty(): Promise<boolean> {
    this.waiting = undefined;
    this.child.stdin?.write('waiting\n');
    await eventually('the edge answers', () => this.waiting !== undefined);
    return this.waiting === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  private read(line: string): void {
    const [what, number] = line.split(' ');
    if (what === 'stored') this.stored.push(Number(number));
    if (what === 'waiting') this.waiting = Number(number);
  }
}

/** Publishes numbers in the mirrored channels at the centre, each once and in order, as long as it runs. */
class Publisher {
  published = 0;
  private hasEnded = false;
  private readonly running: Promise<void>;

  constructor(private readonly http: () => string | undefined) {
    this.running = this.run();
  }

  async end(): Promise<void> {
    this.hasEnded = true;
    await this.running;
  }

  private async run(): Promise<void> {
    for (; !this.hasEnded; await pause(20)) {
      for (const channel of MIRRORED) await this.publish(channel, this.published + 1);
      this.published += 1;
    }
  }

  private async publish(channel: string, data: number): Promise<void> {
    const body = { channel, data, idempotencyKey: `${channel} ${data}` };
    for (;;) {
      const http = this.http();
      const answer = http && (await api({ http }, 'POST /api/publish', { body }).catch(() => undefined));
      if (answer && answer.status < 300) return;
      await pause(50);
    }
  }
}

interface World {
  readonly edge: Edge;
  readonly readers: readonly MovingReader[];
  readonly link: TcpProxy;
  readonly nodes: Nodes;
  readonly random: () => number;
}

const FAULTS: Readonly<Record<string, (world: World) => Promise<void>>> = {
  'kill the edge': async ({ edge }) => {
    await edge.kill();
    await edge.start();
  },
  'kill the centre': async ({ nodes, link }) => {
    await nodes.end(0, 'SIGKILL');
    await nodes.startNode(0);
    link.target = nodes.portOf(0) ?? 0;
  },
  'kill the mirroring edge': async ({ nodes }) => {
    await nodes.end(1, 'SIGKILL');
    await nodes.startNode(1);
  },
  'move the readers': async ({ readers }) => {
    for (const reader of readers) reader.move();
  },
  'cut the link': async ({ link }) => link.cut(),
  'a slow link': async ({ link, random }) => {
    link.delayMs = 20 + random() * 200;
    await pause(random() * 1_000);
    link.delayMs = 0;
  },
  'a black hole': async ({ link, random }) => {
    link.swallow();
    await pause(random() * 1_500);
    if (random() < 0.5) link.cut();
    link.restore();
  },
};

/** Every fault at least once, and more at random until the time is over. */
async function goThrough(world: World): Promise<string> {
  const names = Object.keys(FAULTS);
  const happened = new Map<string, number>();
  const over = performance.now() + SECONDS * 1_000;
  const feeding = setInterval(() => {
    for (let n = 0; n < 10; n += 1) world.edge.give();
  }, 20);
  while (performance.now() < over || happened.size < names.length) {
    await pause(world.random() * 600);
    const missing = names.filter((name) => !happened.has(name));
    const choice = performance.now() < over ? names : missing;
    const name = choice[Math.floor(world.random() * choice.length)] ?? '';
    await FAULTS[name]?.(world);
    happened.set(name, (happened.get(name) ?? 0) + 1);
  }
  clearInterval(feeding);
  return [...happened].map(([name, times]) => `${name} ${times} times`).join(', ');
}

it(
  `forwards what an edge has stored once and in order, although both sides are killed and the link is bad; and what comes down has no silent gap (seed ${SEED})`,
  { timeout: TIMEOUT_MS },
  async () => {
    const random = randomNumbers(SEED);
    await using redis = await RedisServer.start(DURABLE);
    await using build = await buildServer();
    using file = namespacesFile(NAMESPACES);
    await using folder = await temporaryFolder();
    await using mirrorFolder = await temporaryFolder();
    await using link = await TcpProxy.start(() => undefined);
    const edgeFile = join(mirrorFolder.path, 'edge.yaml');
    await writeFile(edgeFile, `mirror: ['news:*', 'brief:all']`);
    await using nodes = await Nodes.start(build, [
      { ...file.environment, REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '60000', EDGE_CENTRE: 'on' },
      {
        ...file.environment,
        EDGE_UPSTREAM: `ws://127.0.0.1:${link.port}/ws`,
        EDGE_TOKEN: mintToken({ sub: 'line-2', roles: ['EDGE'] }),
        EDGE_DIR: mirrorFolder.path,
        EDGE_FILE: edgeFile,
      },
    ]);
    link.target = nodes.portOf(0) ?? 0;
    const centre = (): string | undefined => {
      const port = nodes.portOf(0);
      return port === undefined ? undefined : `http://127.0.0.1:${port}`;
    };
    await using news = new MovingReader({ channel: 'news:all', ports: () => nodes.ports, random });
    // It stays at the edge, where an outage is a gap.
    const atTheEdge = (): number[] => [nodes.portOf(1) ?? []].flat();
    await using brief = new MovingReader({ channel: 'brief:all', ports: atTheEdge, random });
    const readers = [news, brief];
    await eventually('the readers have a position', () => readers.every(({ seq }) => seq !== undefined));
    const publisher = new Publisher(centre);
    await using edge = new Edge(await edgeProgram(build), {
      EDGE_DIR: folder.path,
      EDGE_UPSTREAM: `ws://127.0.0.1:${link.port}/ws`,
      EDGE_TOKEN: mintToken({ sub: 'line-1', roles: ['EDGE'] }),
    });
    await edge.start();
    const happened = await goThrough({ edge, link, nodes, random, readers });
    await publisher.end();
    await eventually('everything is forwarded', () => edge.isEmpty());

    const http = `http://127.0.0.1:${nodes.portOf(0)}`;
    const arrived = await Promise.all(CHANNELS.map((channel) => published(http, channel)));
    for (const numbers of arrived) expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
    const all = new Set(arrived.flat());
    expect(edge.stored.filter((n) => !all.has(n))).toEqual([]);
    expect([...all].filter((n) => n < 1 || n > edge.given)).toEqual([]);
    expect(edge.stored.length).toBeGreaterThan(0);

    const { published: count } = publisher;
    await eventually('the readers have everything', () => readers.every(({ seq }) => seq === count));
    expect([news.faults, brief.faults]).toEqual([[], []]);
    expect({ received: news.received, lost: news.lost }).toEqual({ received: count, lost: 0 });
    expect(brief.received + brief.lost).toBe(count);
    process.stdout.write(`${count} published; ${news.places} places; ${brief.lost} of the brief ones lost and told\n`);
    process.stdout.write(`${edge.stored.length} stored, ${all.size} forwarded: ${happened}\n`);
  },
);
