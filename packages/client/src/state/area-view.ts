import { isObject, type Incoming } from '../incoming.js';
import { AreaCells, type CellPart } from './area-cells.js';
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

export interface AreaHost {
  readonly values: Map<string, unknown>;
  ask(type: string, data: object): Promise<object>;
  changed(change: StateChange): void;
}

/** What one subscription looks at: the cells of a box, and a ring of one cell around it, so that nothing pops up. */
export class AreaView {
  readonly cells: AreaCells;
  private readonly _incomplete = new Set<string>();
  private _held: Incoming[] = [];
  private _grid: Grid | undefined;
  private _asked: string | undefined;
  private _isBusy = false;
  private _isShown = false;

  constructor(
    private readonly _host: AreaHost,
    private _box: StateArea,
  ) {
    this.cells = new AreaCells(_host.values);
  }

  /** Looks at another box. @throws GatehouseError of a request */
  async look(box: StateArea): Promise<void> {
    this._box = box;
    // The one that is under way goes on with it.
    if (this._isBusy) return;
    this._isBusy = true;
    try {
      await this._catchUp();
    } finally {
      this._isBusy = false;
    }
  }

  /** Returns whether more values must be asked for, by `look`. */
  hear(message: Incoming): boolean {
    const { data, type, epoch = '', seq = 0 } = message;
    if (!isObject(data) || typeof data.cell !== 'string') return false;
    const { cell, more } = data;
    if (!this.cells.has(cell) || this._incomplete.has(cell)) {
      // Of a cell that is about to come. Otherwise it was left.
      if (this._isBusy) this._held.push(message);
      return false;
    }
    if (type === 'message') this._tell(this.cells.apply(cell, data, { epoch, seq }));
    else {
      if (more) this._incomplete.add(cell);
      this._tell(this.cells.take(cell, { ...data, epoch, seq }, true));
    }
    return more === true;
  }

  /** Looks at the newest box once more. @throws GatehouseError of a request */
  again(): Promise<void> {
    return this.look(this._box);
  }

  private async _catchUp(): Promise<void> {
    for (;;) {
      const box = this._due();
      if (box) await this._take(await this._host.ask('area', { box }));
      else if (this._incomplete.size > 0) await this._readRest();
      else return;
    }
  }

  /** The box to ask for. Undefined if that has been done. */
  private _due(): StateArea | undefined {
    const box = this._grid ? withRing(this._box, this._grid) : this._box;
    const asked = this._grid ? String(cornersOf(box, this._grid)) : undefined;
    if (asked !== undefined && asked === this._asked) return undefined;
    this._asked = asked;
    return box;
  }

  private async _take(reply: Reply): Promise<void> {
    const { entered = [], left = [], more, grid } = reply;
    if (!isObject(grid)) throw new TypeError('grid');
    this._grid = grid as unknown as Grid;
    this._tell(this.cells.leave(left));
    for (const cell of left) this._incomplete.delete(cell);
    for (const cell of entered) this.cells.enter(cell);
    if (more) for (const cell of entered) this._incomplete.add(cell);
    this._takeParts(reply);
    if (more) await this._readRest();
    this._release();
  }

  private async _readRest(): Promise<void> {
    for (let more: boolean | undefined = true; more;) {
      const part: Reply = await this._host.ask('area.next', {});
      this._takeParts(part);
      ({ more } = part);
    }
    this._incomplete.clear();
    this._release();
  }

  private _takeParts({ cells = [] }: Reply): void {
    for (const part of cells) this._tell(this.cells.take(part.cell, part, false));
  }

  /** What came too early. */
  private _release(): void {
    if (!this._isShown) {
      this._isShown = true;
      this._host.changed(this.cells.whole());
    }
    const held = this._held;
    this._held = [];
    for (const message of held) this.hear(message);
  }

  /** Until the first view is whole, the values of the connection before stay. */
  private _tell(change: StateChange): void {
    if (this._isShown && (change.set.size > 0 || change.removed.length > 0)) this._host.changed(change);
  }
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
