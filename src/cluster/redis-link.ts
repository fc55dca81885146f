import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import { clientBeside, createClient, type RedisLinkSettings } from './redis-clients.js';
import { RedisLives } from './redis-lives.js';
import type { RedisScript } from './redis-script.js';

export type RedisArgument = string | number | Buffer;

interface RedisLinkEvents {
  /** Redis answers, for the first time or again. What it holds may have changed meanwhile. */
  up: [];
  /** Redis does not answer. */
  down: [reason: string];
  /**
   * Another server answers than before, or the same after a restart: what it holds may be older than what was there. Before
   * `up` where the link was down; one server of a cluster may be another without that.
   */
  replaced: [];
  /** A command failed: it was refused, or not answered in time. */
  failed: [reason: string];
  /** A ping was answered, as each server that takes commands is sent one a second. */
  roundTrip: [milliseconds: number];
  /** What was published on some node has come to this one: so long after its time. */
  arrived: [milliseconds: number];
}

/** Of every client, and missing in the types of ioredis. */
interface ScriptCommands {
  evalBuffer(source: string, keyCount: number, ...parameters: RedisArgument[]): Promise<unknown>;
  evalshaBuffer(digest: string, keyCount: number, ...parameters: RedisArgument[]): Promise<unknown>;
}

const PULSE_MS = 1_000;
/** A client that is told SERVER_BUSY tries again after this long: the next pulse will have found out more. */
const RETRY_AFTER_MS = 1_000;
/** Commands sent and not answered; beyond it Redis counts as too slow, and more are refused. */
const MAX_UNANSWERED = 20_000;

/**
 * The connection to Redis on which commands go out. Nothing waits for a connection that is not there: a command is sent
 * at once or refused. Whether Redis is there is asked every second, so a silent one is noticed as fast as a closed one.
 */
export class RedisLink extends EventEmitter<RedisLinkEvents> {
  readonly client: (Redis | Cluster) & ScriptCommands;
  private readonly prefix: string;
  private readonly lives: RedisLives;
  private readonly pulse: NodeJS.Timeout;
  private isAlive = false;
  private isClosed = false;
  private unanswered = 0;

  constructor(private readonly settings: RedisLinkSettings) {
    super();
    this.prefix = settings.redisPrefix;
    this.client = createClient(settings) as RedisLink['client'];
    this.lives = new RedisLives(this.client);
    // Each failure comes as an event of the link; without a listener ioredis would write to the console.
    this.client.on('error', (error: Error) => this.emit('failed', reasonOf(error)));
    this.client.on('close', () => this.died('the connection closed'));
    this.client.on('ready', () => void this.feelPulse());
    // Else its first command would connect it, and be refused meanwhile.
    this.client.on('+node', (server: Redis) => void server.connect().catch(() => {}));
    void this.client.connect().catch(() => {});
    this.pulse = setInterval(() => void this.feelPulse(), PULSE_MS).unref();
  }

  get isUp(): boolean {
    return this.isAlive;
  }

  /** Commands that were sent and are not answered yet. None waits to be sent: without a connection it is refused. */
  get commandsUnderWay(): number {
    return this.unanswered;
  }

  get isCluster(): boolean {
    return this.client instanceof Cluster;
  }

  /**
   * A connection beside this one, as a subscriber needs. Not connected yet.
   *
   * @param server `host:port` of one of the servers of a cluster
   */
  connectBeside(server?: string): Redis {
    return clientBeside(this.settings, server);
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
    const all = [...keys, ...parameters];
    return this.attempt(async () => {
      try {
        return await this.client.evalshaBuffer(script.digest, keys.length, ...all);
      } catch (error) {
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
        return this.client.evalBuffer(script.source, keys.length, ...all);
      }
    });
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
      this.emit('failed', message);
      // Whoever waits after this one need not wait as long.
      if (message === 'Command timed out' && !this.isCluster) this.died(message);
      throw busy();
    } finally {
      this.unanswered -= 1;
    }
  }

  close(): void {
    this.isClosed = true;
    this.isAlive = false;
    clearInterval(this.pulse);
    this.removeAllListeners();
    this.client.disconnect();
  }

  private async feelPulse(): Promise<void> {
    try {
      if (!this.isAlive) await Promise.all(this.masters().map(reached));
      // Who it is is asked first: whoever answers the other has answered this.
      await Promise.all([this.look(), this.anyAnswer()]);
      if (this.isAlive || this.isClosed) return;
      this.isAlive = true;
      this.emit('up');
    } catch (error) {
      this.died((error as Error).message);
    }
  }

  /** Of a cluster one master is enough: what lies on the others is refused by them, and they alone. */
  private anyAnswer(): Promise<unknown> {
    const masters = this.masters();
    return masters.length > 0 ? Promise.any(masters.map((master) => this.ping(master))) : this.ping(this.client);
  }

  private async ping(server: Pick<Redis, 'ping'>): Promise<void> {
    const sentAt = performance.now();
    await server.ping();
    this.emit('roundTrip', performance.now() - sentAt);
  }

  /** Asks every master who it is. */
  private async look(): Promise<void> {
    if (await this.lives.haveChanged()) this.emit('replaced');
  }

  /** Of a cluster; none where it is one Redis. */
  private masters(): Redis[] {
    return this.client instanceof Cluster ? this.client.nodes('master') : [];
  }

  private died(reason: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.emit('down', reason);
  }
}

/** Resolves once a server of a cluster can be asked, or has turned out not to be there. While it is connected to, it refuses commands. */
async function reached(server: Redis): Promise<void> {
  if (server.status !== 'wait' && server.status !== 'connecting' && server.status !== 'connect') return;
  const done = new AbortController();
  const ends = ['ready', 'close'].map((event) => once(server, event, { signal: done.signal }));
  if (server.status === 'wait') void server.connect().catch(() => {});
  await Promise.race(ends).catch(() => {});
  done.abort();
}

/** Of a cluster that cannot be reached at all, also what the last of its servers said. */
function reasonOf({ message, lastNodeError }: Error & { readonly lastNodeError?: Error }): string {
  return lastNodeError === undefined ? message : `${message} ${lastNodeError.message}`;
}

export function busy(): GatehouseError {
  return new GatehouseError('SERVER_BUSY', { retryAfter: RETRY_AFTER_MS });
}
