import type { Gap, Position } from '@gatehouse/protocol';
import type { ChannelOptions, ChannelPublication, Client, Load } from '../../../packages/client/src/index.js';
import type { Ledger } from './ledger.js';

/** As the application publishes it. */
export interface Numbered {
  readonly id: number;
}

/** What an application that reads a channel knows: the state that it loaded last, and what it was shown after that. */
export class ClientReader {
  /** Why it loaded again, or which gaps it was told of if it does not load. */
  readonly losses: string[] = [];
  /** What the state had, as a database that was written before the publish. */
  private loaded: ReadonlySet<number> = new Set();
  private readonly shown = new Set<number>();
  /** The next publication must follow this one. Undefined: where it starts is not known. */
  private at: Position | undefined;
  private isLoading = false;

  /** @param loads whether it has a `load`; without one it learns of gaps */
  constructor(
    private readonly name: string,
    private readonly client: Client,
    private readonly ledger: Ledger,
    readonly loads: boolean,
  ) {
    const onMessage = (publication: ChannelPublication): void => this.onMessage(publication);
    const reading: ChannelOptions = loads
      ? { load: (load: Load) => this.load(load), onMessage }
      : { onGap: (gap: Gap) => this.onGap(gap), onMessage };
    this.channel = client.channel(ledger.channel, reading);
  }

  readonly channel;

  get isLive(): boolean {
    return this.channel.getSnapshot().state === 'live';
  }

  knows(id: number): boolean {
    return this.shown.has(id) || this.loaded.has(id);
  }

  /** At the end: whether it knows everything that was acknowledged, unless it was told that something is lost. */
  verify(acknowledged: Iterable<number>): void {
    if (!this.loads && this.losses.length > 0) return;
    for (const id of acknowledged) {
      if (!this.knows(id)) this.ledger.fault('lost', `${this.name}: ${id} was acknowledged, not shown and not loaded`);
    }
  }

  private async load({ reason, signal }: Load): Promise<Position> {
    this.isLoading = true;
    if (reason !== 'first') this.losses.push(`${this.name}: ${reason} after ${this.at?.epoch}/${this.at?.seq}`);
    const asked = { channel: this.ledger.channel, limit: 1 };
    const { epoch, seq } = (await this.client.request('history', asked, { signal, idempotent: true })) as Position;
    this.loaded = new Set(this.ledger.allSent);
    this.restart({ epoch, seq });
    this.isLoading = false;
    return { epoch, seq };
  }

  private onGap({ from, to }: Gap): void {
    this.losses.push(`${this.name}: ${from} to ${to} after ${this.at?.epoch}/${this.at?.seq}`);
    this.restart(undefined);
  }

  private restart(at: Position | undefined): void {
    this.at = at;
    this.shown.clear();
  }

  private onMessage({ epoch, seq, data }: ChannelPublication): void {
    const { id } = data as Numbered;
    const { at, ledger } = this;
    if (epoch === undefined || seq === undefined) return ledger.fault('lost', `${this.name}: ${id} has no position`);
    const where = `${this.name}: ${id} at ${epoch}/${seq}, after ${at?.epoch}/${at?.seq}`;
    if (this.isLoading) ledger.fault('out of order', `${where}, was shown before the state that was being loaded`);
    // Positions of two epochs are of one series, unless a gap is announced.
    if (at !== undefined && seq !== at.seq + 1) ledger.fault(seq > at.seq ? 'lost' : 'doubled', where);
    if (this.shown.has(id)) ledger.fault('doubled', `${where}, was shown twice`);
    ledger.stands(id, { epoch, seq });
    this.shown.add(id);
    this.at = { epoch, seq };
  }
}
