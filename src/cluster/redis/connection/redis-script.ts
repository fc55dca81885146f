import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type RedisArgument = string | number | Buffer;

/** Every client has it, but the types of ioredis do not. */
export interface ScriptCommands {
  evalBuffer(source: string, keyCount: number, ...parameters: RedisArgument[]): Promise<unknown>;
  evalshaBuffer(digest: string, keyCount: number, ...parameters: RedisArgument[]): Promise<unknown>;
}

/** Beside the folder of this module, in src/ as in dist/. */
const FOLDER = new URL('../lua/', import.meta.url);
/** A line that stands for another file: Redis has no modules. */
const INCLUDE = /^-- @include ([\w-]+)\n/gm;

/** A Lua script that Redis keeps by its digest. All its keys are in one hash slot. */
export class RedisScript {
  readonly digest: string;

  private constructor(readonly source: string) {
    this.digest = createHash('sha1').update(source).digest('hex');
  }

  /**
   * Reads the script `lua/<name>.lua`.
   *
   * @throws Error if there is no such file
   */
  static load(name: string): RedisScript {
    return new RedisScript(sourceOf(name));
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

function sourceOf(name: string): string {
  return readFileSync(new URL(`${name}.lua`, FOLDER), 'utf8').replace(INCLUDE, (_, included: string) =>
    sourceOf(included),
  );
}
