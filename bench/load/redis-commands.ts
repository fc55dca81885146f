import { Redis } from 'ioredis';

/** What Redis is told while this watches: MONITOR tells apart what a client sent and what a script did. */
export class RedisCommands implements AsyncDisposable {
  /** Commands of clients that name the channel. */
  sent = 0;
  /** What the scripts among them did. */
  withinScripts = 0;
  private isOfChannel = false;

  private constructor(
    private readonly client: Redis,
    private readonly monitor: Redis,
    private readonly channel: string,
  ) {
    monitor.on('monitor', (_time: string, words: readonly string[], source: string) => this.count(words, source));
  }

  static async watch(port: number, channel: string): Promise<RedisCommands> {
    const client = new Redis(port, '127.0.0.1');
    return new RedisCommands(client, await client.monitor(), channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.monitor.disconnect();
    this.client.disconnect();
  }

  /** Redis tells of a script before it tells what the script does. */
  private count(words: readonly string[], source: string): void {
    const isWithinScript = source === 'lua';
    if (!isWithinScript) this.isOfChannel = words.some((word) => word.includes(this.channel));
    if (!this.isOfChannel) return;
    if (isWithinScript) this.withinScripts += 1;
    else this.sent += 1;
  }
}

/** What Redis holds, in bytes. */
export async function redisBytes(port: number): Promise<number> {
  const client = new Redis(port, '127.0.0.1');
  try {
    return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1] ?? Number.NaN);
  } finally {
    client.disconnect();
  }
}
