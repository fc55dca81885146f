import type { Environment } from '../../../config/settings.js';
import { ServerProcess, type Build, type Ended } from '../../support/built-server.js';
import { TEST_SECRET } from '../../support/test-server.js';

export const REDIS_TIMEOUT_MS = 1_000;

/** What they have, for `namespacesFile`: nothing that a fault lasts is forgotten meanwhile. */
export const NAMESPACES = {
  feed: 'subscribe: signed_in, publish: signed_in, presence: true, history: { size: 50000, age: 10m }',
};

/** Limits that would get in the way, and times short enough to see their end. */
const ENVIRONMENT: Environment = {
  NODE_ENV: 'test',
  JWT_SECRET: TEST_SECRET,
  CONNECTION_RATE_PER_IP: '0',
  MAX_CONNECTIONS_PER_IP: '0',
  MAX_HTTP_CONNECTIONS_PER_IP: '0',
  MAX_CONNECTIONS_PER_USER: '0',
  MESSAGE_RATE: '0',
  MESSAGE_RATE_PER_IP: '0',
  OVERLOAD_EVENT_LOOP_LAG_MS: '0',
  OVERLOAD_HEAP_PERCENT: '0',
  RECONNECT_WINDOW_MS: '1000',
  // A starved node says goodbye slowly.
  DRAIN_TIMEOUT_MS: '120000',
  REDIS_TIMEOUT_MS: String(REDIS_TIMEOUT_MS),
};

interface Node {
  readonly process: ServerProcess;
  readonly port: number;
}

/** Some nodes, each a process of its own, behind one Redis. `await using` ends them. */
export class Nodes implements AsyncDisposable {
  private readonly nodes: (Node | undefined)[] = [];

  private constructor(
    private readonly build: Build,
    private readonly environments: readonly Environment[],
  ) {}

  /** One for each environment. */
  static async start(build: Build, environments: readonly Environment[]): Promise<Nodes> {
    const nodes = new Nodes(build, environments);
    await Promise.all(environments.map((_, index) => nodes.startNode(index)));
    return nodes;
  }

  /** Where a client would be sent: the nodes that have not ended, frozen ones too. */
  get ports(): readonly number[] {
    return this.nodes.flatMap((node) => (node ? [node.port] : []));
  }

  portOf(index: number): number | undefined {
    return this.nodes[index]?.port;
  }

  get count(): number {
    return this.nodes.length;
  }

  /** Resolves once it listens, on a port of its own. */
  async startNode(index: number): Promise<void> {
    const environment = { ...ENVIRONMENT, ...this.environments[index], SERVER_ID: `node-${index + 1}` };
    const process = await ServerProcess.start(this.build, environment);
    try {
      this.nodes[index] = { process, port: await process.port() };
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** SIGSTOP cuts it off from everyone, as a partition would, until SIGCONT. */
  signal(index: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.nodes[index]?.process.signal(signal);
  }

  /** Resolves when it has ended; from now on no client is sent there. */
  async end(index: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<Ended> {
    const process = this.nodes[index]?.process;
    if (!process) throw new Error(`Node ${index} does not run`);
    this.nodes[index] = undefined;
    process.signal(signal);
    return process.ended;
  }

  /** Starts those that have ended: a test that failed leaves nothing to the next. */
  async heal(): Promise<void> {
    const indexes = this.nodes.map((_, index) => index);
    for (const index of indexes) this.signal(index, 'SIGCONT');
    await Promise.all(indexes.filter((index) => !this.nodes[index]).map((index) => this.startNode(index)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map(async (node) => node?.process[Symbol.asyncDispose]()));
  }
}
