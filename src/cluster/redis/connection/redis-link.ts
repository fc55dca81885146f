import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import calculateSlot from 'cluster-key-slot';
import { Cluster, Redis } from 'ioredis';
import { GatehouseError } from '../../../protocol/gatehouse-error.js';
import { EngineLink } from '../../ports/engine-link.js';
import { clientBeside, createClient, type BesideOptions, type RedisLinkSettings } from './redis-clients.js';
import { isUnusable, mayReconnect, REDIS_FAULTS, RedisFaults, type RedisFault } from './redis-faults.js';
import { RunIds } from './run-ids.js';
import { RedisPulse } from './redis-pulse.js';
import type { RedisArgument, RedisScript, ScriptCommands } from './redis-script.js';

const PULSE_MS = 1_000;
/** Clients that get SERVER_BUSY try again after this long. By then the next ping has found out more. */
const RETRY_AFTER_MS = 1_000;
/** Commands sent without an answer yet. Beyond it Redis is too slow, and more are refused. */
const MAX_UNANSWERED = 20_000;

/**
 * The connection to Redis for commands. Nothing waits for a connection: a command is sent at once or refused. A ping
 * every second detects a silent Redis as fast as a closed connection.
 */
export class RedisLink extends EngineLink {
  readonly engine = 'redis';
  readonly client: (Redis | Cluster) & ScriptCommands;
  readonly knownFaults = Object.keys(REDIS_FAULTS);
  private readonly prefix: string;
  private readonly runIds: RunIds;
  private readonly currentFaults = new RedisFaults({
    begun: (fault, reason) => this.emit('refuses', fault, reason),
    ended: (fault) => this.emit('accepts', fault),
  });
  private readonly pulse: RedisPulse;
  private readonly timer: NodeJS.Timeout;
  private isAlive = false;
  private isClosed = false;
  private unanswered = 0;
  private reconnectedAt = -Infinity;

  constructor(private readonly settings: RedisLinkSettings) {
    super();
    this.prefix = settings.redisPrefix;
    this.client = createClient(settings) as RedisLink['client'];
    this.runIds = new RunIds(this.client);
    this.pulse = new RedisPulse(this.client, {
      keyOf: (tag) => this.key(tag),
      answered: (milliseconds) => this.emit('roundTrip', milliseconds),
      refused: (reason) => void this.currentFaults.note(reason),
      proven: (sentAt) => this.currentFaults.proven(sentAt),
    });
    // Each failure comes as an event of the link. Without a listener ioredis would write to the console.
    this.client.on('error', (error: Error) => void this.refused(withLastNode(error)));
    this.client.on('close', () => this.died('the connection closed'));
    this.client.on('ready', () => void this.feelPulse());
    // Otherwise its first command would open the connection, and be refused meanwhile.
    this.client.on('+node', (server: Redis) => void server.connect().catch(() => {}));
    void this.client.connect().catch(() => {});
    this.timer = setInterval(() => void this.feelPulse(), PULSE_MS).unref();
  }

  get isUp(): boolean {
    return this.isAlive;
  }

  get faults(): readonly RedisFault[] {
    return this.currentFaults.current;
  }

  /** Commands without an answer yet. None waits to be sent: without a connection it is refused. */
  get commandsUnderWay(): number {
    return this.unanswered;
  }

  get isCluster(): boolean {
    return this.client instanceof Cluster;
  }

  /** `host:port` of the server that has a key, as far as that is known. Empty for a single Redis. */
  serverOf(key: string): string {
    const { client } = this;
    return client instanceof Cluster ? (client.slots[calculateSlot(key)]?.[0] ?? '') : '';
  }

  /** In a cluster, publications stay among the servers of one slot. */
  get publishCommand(): 'PUBLISH' | 'SPUBLISH' {
    return this.isCluster ? 'SPUBLISH' : 'PUBLISH';
  }

  /**
   * Creates another connection, for example for a subscriber. Not connected yet.
   *
   * @param server `host:port` of a server of the cluster
   */
  connectBeside(server?: string, options?: BesideOptions): Redis {
    return clientBeside(this.settings, server, options);
  }

  /** How long Redis may take to answer. */
  get timeoutMs(): number {
    return this.settings.redisTimeoutMs;
  }

  /** Another connection found that a slot of the cluster has moved. */
  refreshSlots(): void {
    if (this.client instanceof Cluster) this.client.refreshSlotsCache();
  }

  /** Resolves when Redis answers, at the latest after the command timeout. */
  async opened(): Promise<void> {
    if (this.isAlive) return;
    await Promise.race([once(this, 'up'), pause(this.settings.redisTimeoutMs, undefined, { ref: false })]);
  }

  /**
   * The name of a key or a pub/sub channel. Names with the same `tag` are in one hash slot.
   *
   * @param part what is kept there, such as `log`
   */
  key(tag: string, part?: string): string {
    return part === undefined ? `${this.prefix}:{${tag}}` : `${this.prefix}:{${tag}}:${part}`;
  }

  /**
   * Runs a script as one step. Replies are Buffers, numbers, null and arrays of these.
   *
   * @throws GatehouseError SERVER_BUSY if Redis cannot be reached, is too slow, or answers with an error. It is then
   *   unknown whether the script ran
   */
  async run(script: RedisScript, keys: readonly string[], parameters: readonly RedisArgument[] = []): Promise<unknown> {
    return this.attempt(() => script.runOn(this.client, keys, parameters));
  }

  /**
   * Sends one or more commands.
   *
   * @throws GatehouseError SERVER_BUSY as for `run`
   */
  async attempt<T>(command: () => Promise<T>): Promise<T> {
    if (!this.isAlive || this.unanswered >= MAX_UNANSWERED) throw busy();
    this.unanswered += 1;
    try {
      return await command();
    } catch (error) {
      const { message } = error as Error;
      const fault = this.refused(message);
      // Later commands need not wait as long. In a cluster, one server says nothing about the others.
      if (!this.isCluster && (message === 'Command timed out' || isUnusable(fault))) this.died(message);
      throw busy();
    } finally {
      this.unanswered -= 1;
    }
  }

  close(): void {
    this.isClosed = true;
    this.isAlive = false;
    clearInterval(this.timer);
    this.removeAllListeners();
    this.client.disconnect();
  }

  /** Whether commands go to this server, as far as that is known. */
  leadsTo(runId: string | undefined): boolean {
    return this.runIds.has(runId);
  }

  /**
   * Another connection has reached this server. If commands still go to a different one, the address has moved and they
   * follow it. Otherwise this node would publish on one server and listen to another.
   */
  async follow(runId: string | undefined): Promise<void> {
    if (this.runIds.has(runId)) return;
    await this.look();
    // A connection that is not up yet will reach the same server as the other one.
    if (!this.isAlive || this.runIds.has(runId)) return;
    this.emit('failed', 'commands still go to a Redis server that new connections do not reach');
    this.reconnect();
  }

  /** Counts an error of another connection too. Returns the fault, if it has a name. */
  refused(reason: string): RedisFault | undefined {
    this.emit('failed', reason);
    const fault = this.currentFaults.note(reason);
    if (mayReconnect(fault)) this.reconnect(fault);
    return fault;
  }

  private async feelPulse(): Promise<void> {
    this.currentFaults.fade();
    try {
      // Asked first, so that the run_id is known when the ping is answered.
      await Promise.all([this.look(), this.pulse.feel(!this.isAlive)]);
      if (this.isAlive || this.isClosed) return;
      this.isAlive = true;
      this.emit('up');
    } catch (error) {
      const { message } = error as Error;
      this.died(message);
      const fault = this.currentFaults.note(message);
      if (mayReconnect(fault)) this.reconnect(fault);
    }
  }

  /** Asks every master for its run_id. */
  private async look(): Promise<void> {
    if (await this.runIds.haveChanged()) this.emit('replaced');
  }

  /** At most once for each ping, so that a server is not flooded if the address has not moved. */
  private reconnect(fault?: RedisFault): void {
    const now = performance.now();
    if (this.isClosed || now - this.reconnectedAt < PULSE_MS) return;
    this.reconnectedAt = now;
    const { client } = this;
    if (!(client instanceof Cluster)) return client.disconnect(true);
    // In a cluster, the servers themselves redirect to the right one.
    if (fault === 'not_authenticated') for (const server of client.nodes()) server.disconnect(true);
  }

  private died(reason: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.emit('down', reason);
  }
}

/** If a cluster cannot be reached at all, includes the error of its last server. */
function withLastNode({ message, lastNodeError }: Error & { readonly lastNodeError?: Error }): string {
  return lastNodeError === undefined ? message : `${message} ${lastNodeError.message}`;
}

export function busy(): GatehouseError {
  return new GatehouseError('SERVER_BUSY', { retryAfter: RETRY_AFTER_MS });
}
