import type { GatehouseError } from '../errors.js';
import { isObject, type Incoming } from '../incoming.js';
import { AreaCells, type CellPart } from './area-cells.js';
import { UNFIT } from './state-replies.js';
import type { StateArea, StateChange } from './state-types.js';

interface Grid {
  readonly cell: number;
  readonly maxCells: number;
  readonly wrap: number;
}

interface Reply {
  readonly entered?: readonly string[];
  readonly left?: readonly string[];
  readonly cells?: readonly (CellPart & { readonly cell: string })[];
  readonly more?: boolean;
  readonly grid?: Grid;
}

/** The boxes of one subscription. They outlive its connections. */
export interface Boxes {
  /** The newest one that was asked for. */
  box: StateArea | undefined;
  /** The last one that the server took. */
  good?: StateArea;
}

export interface AreaHost {
  readonly values: Map<string, unknown>;
  readonly boxes: Boxes;
  ask(type: string, data: object): Promise<object>;
  changed(change: StateChange): void;
  /** The server does not take the box. @param isLast there is no other one to look at */
  unfit(error: GatehouseError, isLast: boolean): void;
  /** A request has failed. */
  failed(error: unknown): void;
}

/** What one subscription looks at: the cells of a box, and a ring of one cell around it, so that nothing pops up. */
export class AreaView {
  readonly cells: AreaCells;
  /** Cells with parts that have not been read. */
  private readonly _incomplete = new Set<string>();
  /** Publications of incomplete cells, and all about cells that are about to be entered. */
  private _held: Incoming[] = [];
  private _grid: Grid | undefined;
  private _asked: string | undefined;
  private _mustRead = false;
  private _isBusy = false;
  private _isShown = false;

  constructor(private readonly _host: AreaHost) {
    this.cells = new AreaCells(_host.values);
  }

  /** Looks at the newest box, and reads what is incomplete. */
  async look(): Promise<void> {
    // The one that is under way goes on with it.
    if (this._isBusy) return;
    this._isBusy = true;
    try {
      do await this._readRest();
      while (await this._lookOnce());
    } catch (error) {
      this._host.failed(error);
    } finally {
      this._isBusy = false;
    }
  }

  /** Returns whether more values must be asked for, by `look`. */
  hear(message: Incoming): boolean {
    const { data, type, epoch = '', seq = 0 } = message;
    if (!isObject(data) || typeof data.cell !== 'string') return false;
    const { cell, more } = data;
    const isWhole = type !== 'message';
    if (!this.cells.has(cell) || (!isWhole && this._incomplete.has(cell))) {
      // Otherwise the cell was left.
      if (this._isBusy) this._held.push(message);
    } else if (!isWhole) this._tell(this.cells.apply(cell, data, { epoch, seq }));
    else {
      this._held = this._held.filter((earlier) => cellOf(earlier) !== cell);
      if (more) this._mustRead = !!this._incomplete.add(cell);
      else this._incomplete.delete(cell);
      this._tell(this.cells.take(cell, { ...data, epoch, seq }, true));
    }
    return this._mustRead;
  }

  private async _readRest(): Promise<void> {
    while (this._mustRead) {
      // If a cell is sent again meanwhile, it must be read again, whatever the reply says.
      this._mustRead = false;
      this._takePart(await this._host.ask('area.next', {}));
    }
  }

  /** Returns whether there may be another box to look at. */
  private async _lookOnce(): Promise<boolean> {
    const { _grid: grid, _host: host } = this;
    const { boxes } = host;
    const { box: wanted, good } = boxes;
    if (!wanted) return false;
    const box = grid ? withRing(wanted, grid) : wanted;
    const asked = grid && String(cornersOf(box, grid));
    if (asked && asked === this._asked) return false;
    try {
      this._take(await host.ask('area', { box }));
      this._asked = asked;
      boxes.good = wanted;
      return true;
    } catch (thrown) {
      const error = thrown as GatehouseError;
      if (!UNFIT.includes(error.code)) throw error;
      const isNewest = boxes.box === wanted;
      const isLast = isNewest && (!good || good === wanted);
      if (isNewest && !isLast) boxes.box = good;
      host.unfit(error, isLast);
      return !isLast;
    }
  }

  private _take(reply: Reply): void {
    const { entered = [], left = [], grid } = reply;
    if (!isObject(grid)) throw new TypeError('grid');
    this._grid = grid as unknown as Grid;
    this._tell(this.cells.leave(left));
    for (const cell of left) this._incomplete.delete(cell);
    for (const cell of entered) {
      this.cells.enter(cell);
      this._incomplete.add(cell);
    }
    this._takePart(reply);
  }

  private _takePart({ cells = [], more }: Reply): void {
    for (const part of cells) this._tell(this.cells.take(part.cell, part, false));
    this._mustRead ||= more === true;
    if (!this._mustRead) {
      this._incomplete.clear();
      if (!this._isShown) this._host.changed(this.cells.whole());
      this._isShown = true;
    }
    const held = this._held;
    this._held = [];
    for (const message of held) if (this.cells.has(cellOf(message))) this.hear(message);
  }

  /** Until the first view is whole, the values of the connection before stay. */
  private _tell(change: StateChange): void {
    if (this._isShown && (change.set.size > 0 || change.removed.length > 0)) this._host.changed(change);
  }
}

function cellOf({ data }: Incoming): string {
  return (data as { readonly cell: string }).cell;
}

/** The first and last row and column of a box. */
function cornersOf([minFirst, minSecond, maxFirst, maxSecond]: StateArea, { cell, wrap }: Grid): readonly number[] {
  // With `wrap`, a box may end behind the line where it begins again.
  const end = maxSecond < minSecond ? maxSecond + 2 * wrap : maxSecond;
  return [minFirst, minSecond, maxFirst, end].map((side) => Math.floor(side / cell));
}

/** One cell more on each side, unless that would be too many. */
function withRing(box: StateArea, grid: Grid): StateArea {
  const [minFirst, minSecond, maxFirst, maxSecond] = box;
  const [top = 0, start = 0, bottom = 0, end = 0] = cornersOf(box, grid);
  const isInverted = bottom < top || end < start || minFirst > maxFirst;
  if (isInverted || (bottom - top + 3) * (end - start + 3) > grid.maxCells) return box;
  const { cell, wrap } = grid;
  const over = maxSecond < minSecond ? 2 * wrap : 0;
  return [minFirst - cell, minSecond - cell, maxFirst + cell, maxSecond + over + cell];
}
