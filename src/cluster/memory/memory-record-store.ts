import type { GivenOrder } from '../ports/given-order.js';
import {
  isOutOfReach,
  type ListRecord,
  type Named,
  type RecordStore,
  type RecordType,
  type Restated,
} from '../ports/record-store.js';
import { RecordsByEnding } from './records-by-ending.js';

/** The records of a single node. */
export class MemoryRecordStore<R extends ListRecord> implements RecordStore<R> {
  private readonly yielding = new RecordsByEnding<R>();
  private readonly others = new RecordsByEnding<R>();

  constructor(
    private readonly type: RecordType<R>,
    private readonly max = type.max,
  ) {}

  async put(record: R): Promise<boolean | R> {
    this.dropEnded();
    const isYielding = this.type.isYielding(record);
    if (isYielding && this.others.get(record) !== undefined) return true;
    const kept = this.outOfReach(record, record);
    if (kept !== undefined) return kept;
    const isNew = this.get(record) === undefined;
    if (this.type.whenFull === 'refuse' && isNew && this.size >= this.max) return false;
    this.drop(record);
    if (record.until <= Date.now()) return true;
    (isYielding ? this.yielding : this.others).add(record);
    if (this.size > this.max) (this.yielding.size > 0 ? this.yielding : this.others).dropSoonest();
    return true;
  }

  async restate(records: readonly R[]): Promise<Restated> {
    let [taken, refused] = [0, 0];
    for (const record of records) {
      if (record.until <= Date.now() || !this.isDue(record)) continue;
      if (await this.put(record)) taken += 1;
      else refused += 1;
    }
    return { taken, refused };
  }

  async lift(kind: R['kind'], key: string, given: GivenOrder = {}): Promise<boolean | R> {
    this.dropEnded();
    return this.outOfReach({ kind, key }, given) ?? this.drop({ kind, key });
  }

  async list(): Promise<readonly R[]> {
    this.dropEnded();
    return [...this.others.all(), ...this.yielding.all()];
  }

  /** It ends with its node. */
  async life(): Promise<string> {
    return 'this node';
  }

  private get size(): number {
    return this.yielding.size + this.others.size;
  }

  private get(named: Named): R | undefined {
    return this.others.get(named) ?? this.yielding.get(named);
  }

  /** The stored record, if someone above the giver gave it. */
  private outOfReach(named: Named, given: GivenOrder): R | undefined {
    const present = this.others.get(named);
    return present !== undefined && isOutOfReach(this.type, present, given) ? present : undefined;
  }

  private isDue(record: R): boolean {
    const present = this.get(record);
    if (present === undefined) return true;
    if (isOutOfReach(this.type, present, record)) return false;
    if (isOutOfReach(this.type, record, present)) return true;
    if (this.type.restated === 'different') return JSON.stringify(present) !== JSON.stringify(record);
    return !this.type.isYielding(record) && record.until > present.until;
  }

  private dropEnded(): void {
    const now = Date.now();
    this.yielding.dropEnded(now);
    this.others.dropEnded(now);
  }

  private drop(named: Named): boolean {
    return this.yielding.drop(named) || this.others.drop(named);
  }
}
