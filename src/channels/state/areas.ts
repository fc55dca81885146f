import type { AreaOptions } from '../../../config/area-options.js';
import type { Position } from '../../cluster/ports/broker.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';
import type { ChannelHub } from '../channel-hub.js';
import type { Channel } from '../channel.js';
import { changesOf } from '../pushes.js';
import type { Subscription } from '../subscription.js';
import { cellsIn, type Box } from './area-grid.js';
import { CellChannel } from './cell-channel.js';
import { cellsOf } from './cells-of.js';
import { demandArea } from './demand-state.js';
import { PAGE_BYTES, type StateSlice } from './state-pages.js';

/** What a cell costs as if it were so many bytes: it is subscribed to and read, even if it is empty. */
const ROOM_OF_CELL = 4_096;

/** Values of one cell, as of a position. */
export interface CellSnapshot extends Position, Omit<StateSlice, 'more'> {
  readonly cell: string;
}

/** Values of the cells that a client looks at. */
export interface CellsPart {
  readonly cells: readonly CellSnapshot[];
  /** There is more to ask for. Absent otherwise. */
  readonly more?: true;
}

/** How the cells of a channel are cut. */
export type Grid = Omit<AreaOptions, 'fields'>;

/** What a client looks at now. */
export interface AreaView extends CellsPart {
  readonly channel: string;
  readonly entered: readonly string[];
  /** Its publications come no more: the client drops its keys. */
  readonly left: readonly string[];
  readonly grid: Grid;
}

export interface SizedView {
  readonly view: AreaView;
  readonly bytes: number;
  /** To be called once the client has been told: what was published meanwhile follows, in order. */
  readonly goLive: () => void;
}

interface Joined {
  readonly local: CellChannel;
  readonly subscription: Subscription;
}

/** Which cells of channels the sessions of this node look at. */
export class Areas {
  constructor(private readonly hub: ChannelHub) {}

  /**
   * Lets a subscriber look at the cells that a box touches, and at no others.
   *
   * @throws GatehouseError FORBIDDEN if the channel has no area, NOT_SUBSCRIBED, VALIDATION_FAILED, AREA_TOO_LARGE, or
   *   SERVER_BUSY if the store cannot be reached; the client then looks at what it did before
   */
  async look(session: Session, channel: Channel, box: Box): Promise<SizedView> {
    const { fields: _, ...grid } = demandArea(channel);
    const subscription = this.demandSubscription(session, channel);
    const wanted = new Set(cellsIn(demandArea(channel), box));
    const had = new Map(cellsOf(this.hub, session, channel).map((local) => [local.cell, local]));
    const entered = [...wanted].filter((cell) => !had.has(cell));
    const joined = await this.joinAll(session, channel, { entered, subscription });
    const left = [...had.values()].filter(({ cell }) => !wanted.has(cell));
    for (const local of left) this.hub.remove(session, local);
    const { part, bytes } = this.nextPart(session, channel);
    return {
      view: { channel: channel.name, entered, left: left.map(({ cell }) => cell), ...part, grid },
      bytes: bytes + entered.length * ROOM_OF_CELL,
      goLive: () => {
        for (const one of joined) one.local.goLive(one.subscription);
      },
    };
  }

  /** The next values of the cells that a subscriber looks at. @throws GatehouseError FORBIDDEN or NOT_SUBSCRIBED */
  next(session: Session, channel: Channel): { readonly part: CellsPart; readonly bytes: number } {
    demandArea(channel);
    this.demandSubscription(session, channel);
    return this.nextPart(session, channel);
  }

  private demandSubscription(session: Session, { name }: Channel): Subscription {
    const subscription = this.hub.get(name)?.subscriptions.get(session);
    if (subscription === undefined) throw new GatehouseError('NOT_SUBSCRIBED');
    return subscription;
  }

  private async joinAll(
    session: Session,
    channel: Channel,
    { entered, subscription }: { readonly entered: readonly string[]; readonly subscription: Subscription },
  ): Promise<readonly Joined[]> {
    const joined: Joined[] = [];
    const joining = entered.map(async (cell) => {
      const local = await this.hub.obtain(changesOf(channel, cell));
      // It may have been unsubscribed, or lost the right to be, while the store was asked.
      if (subscription.hasEnded || !(local instanceof CellChannel)) throw new GatehouseError('NOT_SUBSCRIBED');
      const joint = { local, subscription: this.hub.join(session, local) };
      joined.push(joint);
      local.begin(joint.subscription, 'area');
    });
    const failed = (await Promise.allSettled(joining)).find((result) => result.status === 'rejected');
    if (failed === undefined && !subscription.hasEnded) return joined;
    for (const { local } of joined) this.hub.remove(session, local);
    throw failed?.reason ?? new GatehouseError('NOT_SUBSCRIBED');
  }

  private nextPart(session: Session, channel: Channel): { readonly part: CellsPart; readonly bytes: number } {
    const cells: CellSnapshot[] = [];
    let bytes = 0;
    for (const local of cellsOf(this.hub, session, channel)) {
      const subscription = local.subscriptions.get(session);
      if (subscription === undefined || !local.hasMore(subscription)) continue;
      if (bytes >= PAGE_BYTES) return { part: { cells, more: true }, bytes };
      const page = local.nextPage(subscription);
      const { more, ...snapshot } = page.snapshot;
      cells.push({ cell: local.cell, ...snapshot });
      bytes += page.bytes;
      if (more) return { part: { cells, more: true }, bytes };
    }
    return { part: { cells }, bytes };
  }
}
