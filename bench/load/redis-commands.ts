import { Redis } from 'ioredis';

const publishing = new Set(['publish', 'spublish']);

interface Command {
  publishes: boolean;
  callsWithin: number;
}

/** What clients tell Redis about one channel while this watches. MONITOR tells apart what a client sent and what a script did. */
export class RedisCommands implements AsyncDisposable {
  private readonly commands: Command[] = [];
  /** The one whose script may go on; undefined where the last one was about something else. */
  private last: Command | undefined;

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

  /** Those that published, themselves or by their script. */
  get publishing(): readonly Command[] {
    return this.commands.filter(({ publishes }) => publishes);
  }

  /** Such as questions for the position. */
  get others(): readonly Command[] {
    return this.commands.filter(({ publishes }) => !publishes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.monitor.disconnect();
    this.client.disconnect();
  }

  /** Redis tells of a script before it tells what the script does. */
  private count(words: readonly string[], source: string): void {
    const publishes = publishing.has(words[0]?.toLowerCase() ?? '');
    if (source !== 'lua') {
      this.last = words.some((word) => word.includes(this.channel)) ? { publishes, callsWithin: 0 } : undefined;
      if (this.last) this.commands.push(this.last);
    } else if (this.last) {
      this.last.publishes ||= publishes;
      this.last.callsWithin += 1;
    }
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
