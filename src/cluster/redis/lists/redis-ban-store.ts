import { banOf, type Ban, type BanStore } from '../../ports/ban-store.js';
import { recordOf } from './json-record.js';
import { MAX_BANS } from '../../memory/memory-ban-store.js';
import { runIdOf } from '../connection/run-id.js';
import type { RedisLink } from '../connection/redis-link.js';
import { recordsIn } from './redis-records.js';
import { RedisScript } from '../connection/redis-script.js';

/** Bans written again, or indexed, in one script. */
const RESTATED_AT_ONCE = 100;

const TIDY = RedisScript.load('bans-tidy');
const RESTATE = RedisScript.load('bans-restate');
const INDEX = RedisScript.load('bans-index');
const LIFT = RedisScript.load('bans-lift');
const DROP = RedisScript.load('bans-drop');

/** The bans of all nodes, in Redis. */
export class RedisBanStore implements BanStore {
  private readonly keys: readonly string[];

  constructor(
    private readonly link: RedisLink,
    private readonly maxBans = MAX_BANS,
  ) {
    this.keys = ['list', 'endings', 'breaches'].map((part) => link.key('bans', part));
  }

  async put(ban: Ban): Promise<void> {
    // An expired ban must still replace the one before.
    await this.link.run(TIDY, this.keys, [Date.now(), this.maxBans, ...written(ban)]);
  }

  async restate(bans: readonly Ban[]): Promise<number> {
    let taken = 0;
    for (let start = 0; start < bans.length; start += RESTATED_AT_ONCE) {
      const portion = bans.slice(start, start + RESTATED_AT_ONCE).filter(isInForce);
      const parameters = [Date.now(), this.maxBans, ...portion.flatMap(written)];
      if (portion.length > 0) taken += Number(await this.link.run(RESTATE, this.keys, parameters));
    }
    return taken;
  }

  async lift(kind: Ban['kind'], key: string): Promise<boolean> {
    const ban = (await this.link.run(LIFT, this.keys, [nameOf(kind, key)])) as Buffer | null;
    const lifted = ban === null ? undefined : banOf(recordOf(ban.toString()));
    return lifted !== undefined && isInForce(lifted);
  }

  async list(): Promise<readonly Ban[]> {
    const isIndexed = (await this.link.run(TIDY, this.keys, [Date.now(), this.maxBans])) === 1;
    const [list = ''] = this.keys;
    const bans = await recordsIn(this.link, list, {
      read: (record, name) => named(banOf(record), name),
      drop: (namesAndTexts) => this.drop(namesAndTexts),
    });
    if (!isIndexed) await this.index(bans);
    return bans.filter(isInForce);
  }

  life(): Promise<string> {
    return runIdOf(this.link, this.keys);
  }

  /** The index of the list was lost, in whole or in part. */
  private async index(bans: readonly Ban[]): Promise<void> {
    const [, endings = '', breaches = ''] = this.keys;
    await this.link.attempt(() => this.link.client.del(endings, breaches));
    for (let start = 0; start < bans.length; start += RESTATED_AT_ONCE) {
      const portion = bans.slice(start, start + RESTATED_AT_ONCE);
      const parameters = portion.map(written).flatMap(([name, until, , isBreach]) => [name, until, isBreach]);
      await this.link.run(INDEX, this.keys, parameters);
    }
  }

  /** A malformed entry must not prevent the others from being read. */
  private async drop(namesAndTexts: readonly string[]): Promise<void> {
    for (let index = 0; index < namesAndTexts.length; index += 2)
      this.link.emit('failed', 'malformed entry in the list of bans');
    await this.link.run(DROP, this.keys, namesAndTexts);
  }
}

function written(ban: Ban): [name: string, until: number, text: string, isBreach: number] {
  return [nameOf(ban.kind, ban.key), ban.until, JSON.stringify(ban), Number(ban.by === 'breach')];
}

function isInForce({ until }: Ban): boolean {
  return until > Date.now();
}

function named(ban: Ban | undefined, name: string): Ban | undefined {
  return ban !== undefined && nameOf(ban.kind, ban.key) === name ? ban : undefined;
}

function nameOf(kind: Ban['kind'], key: string): string {
  return `${kind}:${key}`;
}
