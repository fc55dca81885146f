import { createHash } from 'node:crypto';

export type RedisArgument = string | number | Buffer;

/** Every client has it, but the types of ioredis do not. */
export interface ScriptCommands {
  evalBuffer(source: string, keyCount: number, ...parameters: RedisArgument[]): Promise<unknown>;
  evalshaBuffer(digest: string, keyCount: number, ...parameters: RedisArgument[]): Promise<unknown>;
}

/** A Lua script that Redis keeps by its digest. All its keys are in one hash slot. */
export class RedisScript {
  readonly digest: string;

  constructor(readonly source: string) {
    this.digest = createHash('sha1').update(source).digest('hex');
  }

  /**
   * Runs the script as one step. Replies are Buffers, numbers, null and arrays of these.
   *
   * @throws Error of ioredis
   */
  async runOn(client: ScriptCommands, keys: readonly string[], parameters: readonly RedisArgument[]): Promise<unknown> {
    const all = [...keys, ...parameters];
    try {
      return await client.evalshaBuffer(this.digest, keys.length, ...all);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return client.evalBuffer(this.source, keys.length, ...all);
    }
  }
}
