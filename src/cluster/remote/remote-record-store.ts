import type { GivenOrder } from '../ports/given-order.js';
import type { ListRecord, RecordStore, Restated } from '../ports/record-store.js';
import type { WholeAnswer } from './open-calls.js';
import type { RemoteLink } from './remote-link.js';
import { busy } from './remote-messages.js';

/** Records in one call. */
const AT_ONCE = 500;

/** The records of all workers, in the primary. */
export class RemoteRecordStore<R extends ListRecord> implements RecordStore<R> {
  constructor(
    private readonly link: RemoteLink,
    private readonly name: 'bans' | 'revocations',
  ) {}

  async put(record: R): Promise<boolean | R> {
    return (await this.link.call(`${this.name}.put`, record)) as boolean | R;
  }

  async restate(records: readonly R[]): Promise<Restated> {
    let [taken, refused] = [0, 0];
    for (let start = 0; start < records.length; start += AT_ONCE) {
      const batch = records.slice(start, start + AT_ONCE);
      const restated = (await this.link.call(`${this.name}.restate`, batch)) as Restated;
      taken += restated.taken;
      refused += restated.refused;
    }
    return { taken, refused };
  }

  async lift(kind: R['kind'], key: string, given: GivenOrder = {}): Promise<boolean | R> {
    return (await this.link.call(`${this.name}.lift`, kind, key, given)) as boolean | R;
  }

  async list(): Promise<readonly R[]> {
    const { items } = (await this.link.call(`${this.name}.list`)) as WholeAnswer;
    return items as R[];
  }

  /** The list ends with the primary. */
  async life(): Promise<string> {
    const { life } = this.link;
    if (life === undefined) throw busy();
    return life;
  }
}
