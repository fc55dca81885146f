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

const OVERTAKEN = 'Another area was asked for meanwhile';

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

/** The answer to a box, and its approximate size. */
export interface SizedView {
  readonly view: AreaView;
  readonly bytes: number;
  /**
   * Call it after the reply: what was published in the meantime follows, in order. With false, because the client did
   * not get the reply, the look is undone.
   */
  readonly goLive: (isDelivered?: boolean) => void;
}

/** The next values of a client's cells. */
export interface SizedPart {
  readonly part: CellsPart;
  readonly bytes: number;
  /** The client did not get the part: the next one begins again. */
  readonly undo: () => void;
}

interface Joined {
  readonly local: CellChannel;
  readonly subscription: Subscription;
}

/** Which cells of channels the sessions of this node look at. */
export class Areas {
  /** Subscriptions of cells whose clients have got the reply that says so. */
  private readonly told = new WeakSet<Subscription>();
  /** The newest look of each subscription: an older one that is still under way changes nothing any more. */
  private readonly newest = new WeakMap<Subscription, symbol>();

  constructor(private readonly hub: ChannelHub) {}

  /**
   * Lets a subscriber look at the cells that a box touches, and at no others.
   *
   * @throws GatehouseError FORBIDDEN if the channel has no area, NOT_SUBSCRIBED, VALIDATION_FAILED, AREA_TOO_LARGE,
   *   SERVER_BUSY if the store cannot be reached, or CONFLICT if the subscriber looks at another box meanwhile; the
   *   client then looks at what it did before
   */
  async look(session: Session, channel: Channel, box: Box): Promise<SizedView> {
    const { fields: _, ...grid } = demandArea(channel);
    const subscription = this.demandSubscription(session, channel);
    const wanted = new Set(cellsIn(demandArea(channel), box));
    const look = Symbol('look');
    this.newest.set(subscription, look);
    const had = this.knownCells(session, channel);
    const entered = [...wanted].filter((cell) => !had.has(cell));
    const demandCurrent = (): void => {
      if (subscription.hasEnded) throw new GatehouseError('NOT_SUBSCRIBED');
      if (this.newest.get(subscription) !== look) throw new GatehouseError('CONFLICT', { message: OVERTAKEN });
    };
    const joined = await this.joinAll(session, channel, { entered, demandCurrent });
    const left = [...had.values()].filter(({ local }) => !wanted.has(local.cell));
    // In one turn: nobody else reads these parts.
    for (const one of joined) one.local.begin(one.subscription, 'area');
    const { part, bytes, undo } = this.nextPart(session, channel, wanted);
    return {
      view: { channel: channel.name, entered, left: left.map(({ local }) => local.cell), ...part, grid },
      bytes: bytes + entered.length * ROOM_OF_CELL,
      goLive: (isDelivered = true) => {
        this.leave(session, isDelivered ? left : joined);
        if (isDelivered) this.follow(joined);
        else undo();
      },
    };
  }

  /** The next values of the cells that a subscriber looks at. @throws GatehouseError FORBIDDEN or NOT_SUBSCRIBED */
  next(session: Session, channel: Channel): SizedPart {
    demandArea(channel);
    this.demandSubscription(session, channel);
    return this.nextPart(session, channel);
  }

  private demandSubscription(session: Session, { name }: Channel): Subscription {
    const subscription = this.hub.get(name)?.subscriptions.get(session);
    if (subscription === undefined) throw new GatehouseError('NOT_SUBSCRIBED');
    return subscription;
  }

  /** The cells that the client knows of, by their names. It leaves the others, whose reply it has not got. */
  private knownCells(session: Session, channel: Channel): ReadonlyMap<string, Joined> {
    const known = new Map<string, Joined>();
    for (const local of cellsOf(this.hub, session, channel)) {
      const subscription = local.subscriptions.get(session);
      if (subscription !== undefined && this.told.has(subscription)) known.set(local.cell, { local, subscription });
      else this.hub.remove(session, local);
    }
    return known;
  }

  private async joinAll(
    session: Session,
    channel: Channel,
    { entered, demandCurrent }: { readonly entered: readonly string[]; readonly demandCurrent: () => void },
  ): Promise<readonly Joined[]> {
    const joined: Joined[] = [];
    const joining = entered.map(async (cell) => {
      const local = await this.hub.obtain(changesOf(channel, cell));
      // It may have been unsubscribed, or lost the right to be, while the store was asked.
      demandCurrent();
      if (local instanceof CellChannel) joined.push({ local, subscription: this.hub.join(session, local) });
    });
    const failed = (await Promise.allSettled(joining)).find((result) => result.status === 'rejected');
    try {
      if (failed !== undefined) throw failed.reason;
      demandCurrent();
      return joined;
    } catch (error) {
      this.leave(session, joined);
      throw error;
    }
  }

  /** A newer look may have entered the same cell with a subscription of its own. */
  private leave(session: Session, cells: readonly Joined[]): void {
    for (const { local, subscription } of cells) {
      if (local.subscriptions.get(session) === subscription) this.hub.remove(session, local);
    }
  }

  private follow(cells: readonly Joined[]): void {
    for (const { local, subscription } of cells) {
      this.told.add(subscription);
      local.goLive(subscription);
    }
  }

  /** @param wanted undefined: all that the subscriber looks at */
  private nextPart(session: Session, channel: Channel, wanted?: ReadonlySet<string>): SizedPart {
    const cells: CellSnapshot[] = [];
    const read: Joined[] = [];
    const undo = (): void => {
      for (const { local, subscription } of read) local.readAgain(subscription);
    };
    let bytes = 0;
    for (const local of cellsOf(this.hub, session, channel)) {
      const subscription = local.subscriptions.get(session);
      if (wanted?.has(local.cell) === false) continue;
      if (subscription === undefined || !local.hasMore(subscription)) continue;
      if (bytes >= PAGE_BYTES) return { part: { cells, more: true }, bytes, undo };
      const page = local.nextPage(subscription);
      const { more, ...snapshot } = page.snapshot;
      cells.push({ cell: local.cell, ...snapshot });
      read.push({ local, subscription });
      bytes += page.bytes;
      if (more) return { part: { cells, more: true }, bytes, undo };
    }
    return { part: { cells }, bytes, undo };
  }
}
