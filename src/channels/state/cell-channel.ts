import type { Position, Publication } from '../../cluster/ports/broker.js';
import type { CellPlace } from '../../cluster/ports/state-store.js';
import { gridOf } from './area-grid.js';
import { StateChannel, type StateChannelOptions } from './state-channel.js';
import { loadState, type LoadedState } from './state-view.js';

/**
 * One cell of a channel with an area, and those on this node who look at it. It has no history of its own: its
 * publications have the seqs of the channel, and each says which one it comes after. What was missed is read as a whole.
 */
export class CellChannel extends StateChannel {
  constructor(
    options: StateChannelOptions,
    readonly cell: string,
  ) {
    super(options);
  }

  protected override isNext({ after }: Publication, epoch: string): boolean {
    return this.isAt({ epoch, seq: after ?? 0 });
  }

  /** A cell that is empty counts as being at 0, whichever epoch it is in: no publication can be missing. */
  private isAt({ epoch, seq }: Position): boolean {
    const own = this.keys === 0 ? 0 : (this.position?.seq ?? 0);
    return seq === own && (own === 0 || epoch === this.position?.epoch);
  }

  /** Its position is known to the store alone. */
  override check(): void {
    // The broker reports its return, and then all channels are read again.
    if (this.intake === 'following') void this.checkAlone().catch(() => {});
  }

  private async checkAlone(): Promise<void> {
    const { position } = await this.store.cellPage(this.place);
    // A publication in transit may cause needless doubt, which costs one more question.
    if (!this.isAt(position)) this.doubt();
  }

  protected override load(): Promise<LoadedState> {
    return loadState((from) => this.store.cellPage(this.place, from));
  }

  protected override async missing(): Promise<() => void> {
    const loaded = await this.load();
    return () => this.bringAll(loaded, { top: loaded.position });
  }

  private get place(): CellPlace {
    const { name: channel, namespace } = this.channel;
    const { area } = namespace.state ?? {};
    return { channel, grid: area === undefined ? '' : gridOf(area), cell: this.cell };
  }
}
