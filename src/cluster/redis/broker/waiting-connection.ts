import type { Redis } from 'ioredis';
import { GatehouseError } from '../../../protocol/gatehouse-error.js';
import { faultIn, mayReconnect } from '../connection/redis-faults.js';
import { busy, type RedisLink } from '../connection/redis-link.js';
import type { RedisArgument, RedisScript, ScriptCommands } from '../connection/redis-script.js';
import { serverRunId } from '../connection/run-ids.js';

/** A script whose writes must reach this many replicas before it is answered. */
export interface ReplicatedRun {
  readonly script: RedisScript;
  readonly keys: readonly string[];
  readonly parameters: readonly RedisArgument[];
  /** At least one. */
  readonly replicas: number;
}

interface Pending extends ReplicatedRun {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Written {
  readonly pending: Pending;
  readonly reply: unknown;
}

const RETRY_AFTER_MS = 1_000;

/**
 * A connection to one master for scripts that wait for replicas. WAIT blocks its connection and counts what that
 * connection has written, so it needs one of its own. Scripts of one event-loop turn share one WAIT; the next ones
 * collect while it waits.
 */
export class WaitingConnection {
  private readonly client: Redis & ScriptCommands;
  private readonly opening: Promise<void>;
  private settle = (): void => {};
  private pending: Pending[] = [];
  private isUnderWay = false;
  /** Number of connections that have ended. A WAIT on a later connection would count nothing and succeed. */
  private ended = 0;
  private runId: string | undefined;

  /** @param server `host:port` of a server of the cluster */
  constructor(
    private readonly link: RedisLink,
    server: string | undefined,
  ) {
    this.client = link.connectBeside(server, { isForWaits: true }) as Redis & ScriptCommands;
    this.opening = new Promise((resolve) => (this.settle = resolve));
    // Failures show by `close`. Without a listener ioredis would write to the console.
    this.client.on('error', () => {});
    this.client.on('close', () => {
      this.ended += 1;
      this.settle();
    });
    this.client.on('ready', () => void this.opened());
    void this.client.connect().catch(() => {});
  }

  /** @throws GatehouseError NOT_REPLICATED, or SERVER_BUSY as for `RedisLink.run` */
  run(run: ReplicatedRun): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.push({ ...run, resolve, reject });
      if (this.isUnderWay) return;
      this.isUnderWay = true;
      // Scripts of one event-loop turn share one WAIT.
      setImmediate(() => void this.sendAll());
    });
  }

  /** Commands may go to another server from now on. */
  checkServer(): void {
    if (!this.link.leadsTo(this.runId)) this.client.disconnect(true);
  }

  /** Everything that waits is rejected. */
  close(): void {
    for (const { reject } of this.pending.splice(0)) reject(busy());
    this.settle();
    this.client.disconnect();
  }

  private async opened(): Promise<void> {
    this.runId = await serverRunId(this.client);
    this.settle();
    await this.link.follow(this.runId);
  }

  private async sendAll(): Promise<void> {
    await this.opening;
    while (this.pending.length > 0) await this.send(this.pending.splice(0));
    this.isUnderWay = false;
  }

  private async send(batch: readonly Pending[]): Promise<void> {
    const { ended } = this;
    const written = (await Promise.all(batch.map((pending) => this.write(pending)))).flat();
    const counts = [...new Set(written.map(({ pending }) => pending.replicas))].toSorted((one, other) => one - other);
    const confirmed = counts.map(async (replicas) => {
      const those = written.filter(({ pending }) => pending.replicas === replicas);
      this.answer(those, await this.areReplicated(replicas, ended));
    });
    await Promise.all(confirmed);
  }

  /** Empty if it failed. Then the callers have been told. */
  private async write(pending: Pending): Promise<readonly Written[]> {
    try {
      return [{ pending, reply: await this.link.attempt(() => this.attempt(pending)) }];
    } catch (error) {
      pending.reject(error as Error);
      return [];
    }
  }

  private async attempt({ script, keys, parameters }: ReplicatedRun): Promise<unknown> {
    try {
      return await script.runOn(this.client, keys, parameters);
    } catch (error) {
      const { message } = error as Error;
      if (mayReconnect(faultIn(message))) this.client.disconnect(true);
      if (message.startsWith('MOVED')) this.link.refreshSlots();
      throw error;
    }
  }

  private async areReplicated(replicas: number, ended: number): Promise<boolean> {
    if (ended !== this.ended) return false;
    try {
      return (await this.client.wait(replicas, this.link.timeoutMs)) >= replicas;
    } catch (error) {
      this.link.refused((error as Error).message);
      return false;
    }
  }

  private answer(those: readonly Written[], areReplicated: boolean): void {
    for (const { pending, reply } of those) {
      if (areReplicated) pending.resolve(reply);
      else pending.reject(new GatehouseError('NOT_REPLICATED', { retryAfter: RETRY_AFTER_MS }));
    }
  }
}
