import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { GatehouseError } from '../../../protocol/gatehouse-error.js';
import { EngineLink } from '../../ports/engine-link.js';
import { clientBeside, createClient, type BesideOptions, type RedisLinkSettings } from './redis-clients.js';
import { isUnusable, mayReconnect, REDIS_FAULTS, RedisFaults, type RedisFault } from './redis-faults.js';
import { RunIds } from './run-ids.js';
import { RedisPulse } from './redis-pulse.js';
import type { RedisArgument, RedisScript, ScriptCommands } from './redis-script.js';

const PULSE_MS = 1_000;
/** A client that is told SERVER_BUSY tries again after this long: the next pulse will have found out more. */
const RETRY_AFTER_MS = 1_000;
/** Commands sent and not answered; beyond it Redis counts as too slow, and more are refused. */
const MAX_UNANSWERED = 20_000;

/**
 * The connection to Redis on which commands go out. Nothing waits for a connection that is not there: a command is sent
 * at once or refused. Whether Redis is there is asked every second, so a silent one is noticed as fast as a closed one.
 */
export class RedisLink extends EngineLink {
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
    // Each failure comes as an event of the link; without a listener ioredis would write to the console.
    this.client.on('error', (error: Error) => void this.refused(reasonOf(error)));
    this.client.on('close', () => this.died('the connection closed'));
    this.client.on('ready', () => void this.feelPulse());
    // Else its first command would connect it, and be refused meanwhile.
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

  /** Commands that were sent and are not answered yet. None waits to be sent: without a connection it is refused. */
  get commandsUnderWay(): number {
    return this.unanswered;
  }

  get isCluster(): boolean {
    return this.client instanceof Cluster;
  }

  /** In a cluster, publications stay among the servers of one slot. */
  get publishCommand(): 'PUBLISH' | 'SPUBLISH' {
    return this.isCluster ? 'SPUBLISH' : 'PUBLISH';
  }

  /**
   * A connection beside this one, as a subscriber needs. Not connected yet.
   *
   * @param server `host:port` of one of the servers of a cluster
   */
  connectBeside(server?: string, options?: BesideOptions): Redis {
    return clientBeside(this.settings, server, options);
  }

  /** How long Redis may take to answer. */
  get timeoutMs(): number {
    return this.settings.redisTimeoutMs;
  }

  /** Another connection has found that a slot of the cluster has moved. */
  refreshSlots(): void {
    if (this.client instanceof Cluster) this.client.refreshSlotsCache();
  }

  /** Resolves once Redis answers, and at the latest after the time that an answer may take. */
  async opened(): Promise<void> {
    if (this.isAlive) return;
    await Promise.race([once(this, 'up'), pause(this.settings.redisTimeoutMs, undefined, { ref: false })]);
  }

  /**
   * The name of a key or a pub/sub channel. Those with the same `tag` are in one hash slot.
   *
   * @param part what is kept there, such as `log`
   */
  key(tag: string, part?: string): string {
    return part === undefined ? `${this.prefix}:{${tag}}` : `${this.prefix}:{${tag}}:${part}`;
  }

  /**
   * Runs a script as one step. Replies are Buffers, numbers, null and arrays of these.
   *
   * @throws GatehouseError SERVER_BUSY when Redis is gone, too slow, or answers with an error; then it is unknown whether it ran
   */
  async run(script: RedisScript, keys: readonly string[], parameters: readonly RedisArgument[] = []): Promise<unknown> {
    return this.attempt(() => script.runOn(this.client, keys, parameters));
  }

  /**
   * Sends one or more commands.
   *
   * @throws GatehouseError SERVER_BUSY as `run` does
   */
  async attempt<T>(command: () => Promise<T>): Promise<T> {
    if (!this.isAlive || this.unanswered >= MAX_UNANSWERED) throw busy();
    this.unanswered += 1;
    try {
      return await command();
    } catch (error) {
      const { message } = error as Error;
      const fault = this.refused(message);
      // Whoever waits after this one need not wait as long. Of a cluster one server says nothing about the others.
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
   * A new connection beside this one has led to this server. Where commands still go to another one, the address has moved: they
   * follow it. Otherwise this node would publish on one server and listen to another.
   */
  async follow(runId: string | undefined): Promise<void> {
    if (this.runIds.has(runId)) return;
    await this.look();
    // A connection that is not up yet leads where the other one does.
    if (!this.isAlive || this.runIds.has(runId)) return;
    this.emit('failed', 'commands still go to a Redis server that new connections do not reach');
    this.reconnect();
  }

  /** What a connection beside this one was refused counts too. Returns the fault that it shows, if any. */
  refused(reason: string): RedisFault | undefined {
    this.emit('failed', reason);
    const fault = this.currentFaults.note(reason);
    if (mayReconnect(fault)) this.reconnect(fault);
    return fault;
  }

  private async feelPulse(): Promise<void> {
    this.currentFaults.fade();
    try {
      // Who it is is asked first: whoever answers the other has answered this.
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

  /** Asks every master who it is. */
  private async look(): Promise<void> {
    if (await this.runIds.haveChanged()) this.emit('replaced');
  }

  /** At most once a pulse: where it leads to the same server, that one is not flooded. */
  private reconnect(fault?: RedisFault): void {
    const now = performance.now();
    if (this.isClosed || now - this.reconnectedAt < PULSE_MS) return;
    this.reconnectedAt = now;
    const { client } = this;
    if (!(client instanceof Cluster)) return client.disconnect(true);
    // Where a server of a cluster is not the right one, the cluster itself says which is.
    if (fault === 'not_authenticated') for (const server of client.nodes()) server.disconnect(true);
  }

  private died(reason: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.emit('down', reason);
  }
}

/** Of a cluster that cannot be reached at all, also what the last of its servers said. */
function reasonOf({ message, lastNodeError }: Error & { readonly lastNodeError?: Error }): string {
  return lastNodeError === undefined ? message : `${message} ${lastNodeError.message}`;
}

export function busy(): GatehouseError {
  return new GatehouseError('SERVER_BUSY', { retryAfter: RETRY_AFTER_MS });
}
