import { giverOf, type GivenOrder } from '../../ports/given-order.js';
import { nameOf, type ListRecord, type RecordStore, type RecordType, type Restated } from '../../ports/record-store.js';
import type { RedisLink } from '../connection/redis-link.js';
import { RedisScript } from '../connection/redis-script.js';
import { runIdOf } from '../connection/run-id.js';
import { recordOf } from './json-record.js';
import { recordsIn } from './redis-records.js';

const TIDY = RedisScript.load('records-tidy');
const RESTATE = RedisScript.load('records-restate');
const INDEX = RedisScript.load('records-index');
const LIFT = RedisScript.load('records-lift');
const DROP = RedisScript.load('records-drop');

/** Records written again, or indexed, in one script. */
const AT_ONCE = 100;

/** The records of all nodes, in Redis. */
export class RedisRecordStore<R extends ListRecord> implements RecordStore<R> {
  private readonly keys: readonly string[];

  constructor(
    private readonly link: RedisLink,
    private readonly type: RecordType<R>,
    private readonly max = type.max,
  ) {
    this.keys = ['list', 'endings', 'breaches'].map((part) => link.key(type.list, part));
  }

  async put(record: R): Promise<boolean | R> {
    // An expired record must still replace the one before.
    const answer = await this.link.run(TIDY, this.keys, [...this.rules(), ...this.written(record)]);
    if (!Buffer.isBuffer(answer)) return answer === 1;
    return (await this.kept(nameOf(record), answer)) ?? this.put(record);
  }

  async restate(records: readonly R[]): Promise<Restated> {
    let [taken, refused] = [0, 0];
    for (let start = 0; start < records.length; start += AT_ONCE) {
      const batch = records.slice(start, start + AT_ONCE).filter(isInForce);
      if (batch.length === 0) continue;
      const parameters = [...this.rules(), ...batch.flatMap((record) => this.written(record))];
      const [more, without] = (await this.link.run(RESTATE, this.keys, parameters)) as [number, number];
      taken += more;
      refused += without;
    }
    return { taken, refused };
  }

  async lift(kind: R['kind'], key: string, given: GivenOrder = {}): Promise<boolean | R> {
    const name = nameOf({ kind, key });
    const answer = await this.link.run(LIFT, this.keys, [name, Date.now(), giverOf(given)]);
    const [isLifted, text] = answer as [number, Buffer?];
    if (text === undefined) return false;
    if (isLifted === 0) return (await this.kept(name, text)) ?? this.lift(kind, key, given);
    return this.inForce(name, text) !== undefined;
  }

  async list(): Promise<readonly R[]> {
    const isIndexed = (await this.link.run(TIDY, this.keys, this.rules())) === 1;
    const [list = ''] = this.keys;
    const records = await recordsIn(this.link, list, {
      read: (written, name) => this.readAs(name, written),
      drop: (namesAndTexts) => this.drop(namesAndTexts),
    });
    if (!isIndexed) await this.index(records);
    return records.filter(isInForce);
  }

  life(): Promise<string> {
    return runIdOf(this.link, this.keys);
  }

  /** The index of the list was lost, in whole or in part. */
  private async index(records: readonly R[]): Promise<void> {
    const [, ...indexes] = this.keys;
    await this.link.attempt(() => this.link.client.del(...indexes));
    for (let start = 0; start < records.length; start += AT_ONCE) {
      const batch = records.slice(start, start + AT_ONCE).map((record) => this.written(record));
      const parameters = batch.flatMap(([name, until, , isYielding]) => [name, until, isYielding]);
      await this.link.run(INDEX, this.keys, parameters);
    }
  }

  /** A malformed entry must not prevent the others from being read. */
  private async drop(namesAndTexts: readonly string[]): Promise<void> {
    for (let index = 0; index < namesAndTexts.length; index += 2)
      this.link.emit('failed', `malformed entry in the list of ${this.type.list}`);
    await this.link.run(DROP, this.keys, namesAndTexts);
  }

  /** The record that a script left untouched. Drops it and returns undefined if it is none. */
  private async kept(name: string, text: Buffer): Promise<R | undefined> {
    const record = this.inForce(name, text);
    if (record === undefined) await this.link.run(DROP, this.keys, [name, text]);
    return record;
  }

  private inForce(name: string, text: Buffer): R | undefined {
    const record = this.readAs(name, recordOf(text.toString()));
    return record !== undefined && isInForce(record) ? record : undefined;
  }

  /** Under another name than its own, nobody could lift a record. */
  private readAs(name: string, written: unknown): R | undefined {
    const record = this.type.read(written);
    return record !== undefined && nameOf(record) === name ? record : undefined;
  }

  private rules(): [now: number, max: number, whenFull: string, restated: string] {
    return [Date.now(), this.max, this.type.whenFull, this.type.restated];
  }

  private written(record: R): [name: string, until: number, text: string, isYielding: number] {
    return [nameOf(record), record.until, JSON.stringify(record), Number(this.type.isYielding(record))];
  }
}

function isInForce({ until }: ListRecord): boolean {
  return until > Date.now();
}
