import { recordOf } from './json-record.js';
import { runIdOf } from '../connection/run-id.js';
import type { RedisLink } from '../connection/redis-link.js';
import { recordsIn } from './redis-records.js';
import { RedisScript } from '../connection/redis-script.js';
import {
  MAX_REVOCATIONS,
  nameOf,
  revocationOf,
  type Restated,
  type Revocation,
  type RevocationStore,
} from '../../ports/revocation-store.js';

const TAG = 'revocations';
/** Revocations written again, or indexed, in one script. */
const RESTATED_AT_ONCE = 100;

const TIDY = RedisScript.load('revocations-tidy');
const RESTATE = RedisScript.load('revocations-restate');
const INDEX = RedisScript.load('revocations-index');
const LIFT = RedisScript.load('revocations-lift');

/** The revocations of all nodes, in Redis. */
export class RedisRevocationStore implements RevocationStore {
  private readonly keys: readonly string[];

  constructor(
    private readonly link: RedisLink,
    private readonly max = MAX_REVOCATIONS,
  ) {
    this.keys = ['list', 'endings'].map((part) => link.key(TAG, part));
  }

  async put(revocation: Revocation): Promise<boolean> {
    return (await this.link.run(TIDY, this.keys, [Date.now(), this.max, ...written(revocation)])) === 1;
  }

  async restate(revocations: readonly Revocation[]): Promise<Restated> {
    let [taken, refused] = [0, 0];
    for (let start = 0; start < revocations.length; start += RESTATED_AT_ONCE) {
      const portion = revocations.slice(start, start + RESTATED_AT_ONCE).filter(isInForce);
      if (portion.length === 0) continue;
      const parameters = [Date.now(), this.max, ...portion.flatMap(written)];
      const [more, without] = (await this.link.run(RESTATE, this.keys, parameters)) as [number, number];
      taken += more;
      refused += without;
    }
    return { taken, refused };
  }

  async lift(kind: Revocation['kind'], key: string): Promise<boolean> {
    const text = (await this.link.run(LIFT, this.keys, [nameOf({ kind, key })])) as Buffer | null;
    const lifted = text === null ? undefined : revocationOf(recordOf(text.toString()));
    return lifted !== undefined && isInForce(lifted);
  }

  async list(): Promise<readonly Revocation[]> {
    const isIndexed = (await this.link.run(TIDY, this.keys, [Date.now()])) === 1;
    const [list = ''] = this.keys;
    const revocations = await recordsIn(this.link, list, {
      read: (record, name) => named(revocationOf(record), name),
      drop: (namesAndTexts) => this.drop(namesAndTexts),
    });
    if (!isIndexed) await this.index(revocations);
    return revocations.filter(isInForce);
  }

  life(): Promise<string> {
    return runIdOf(this.link, this.keys);
  }

  /** The index of the list was lost, in whole or in part. */
  private async index(revocations: readonly Revocation[]): Promise<void> {
    const [, endings = ''] = this.keys;
    await this.link.attempt(() => this.link.client.del(endings));
    for (let start = 0; start < revocations.length; start += RESTATED_AT_ONCE) {
      const portion = revocations.slice(start, start + RESTATED_AT_ONCE);
      const parameters = portion.flatMap((one) => [nameOf(one), one.until]);
      await this.link.run(INDEX, this.keys, parameters);
    }
  }

  /** A malformed entry must not take the place of a revocation. */
  private async drop(namesAndTexts: readonly string[]): Promise<void> {
    for (let index = 0; index < namesAndTexts.length; index += 2) {
      this.link.emit('failed', 'malformed entry in the list of revocations');
      await this.link.run(LIFT, this.keys, namesAndTexts.slice(index, index + 2));
    }
  }
}

function written(revocation: Revocation): [name: string, until: number, text: string] {
  return [nameOf(revocation), revocation.until, JSON.stringify(revocation)];
}

function named(revocation: Revocation | undefined, name: string): Revocation | undefined {
  return revocation !== undefined && nameOf(revocation) === name ? revocation : undefined;
}

function isInForce({ until }: Revocation): boolean {
  return until > Date.now();
}
