import { PRIORITIES, type Priority } from '../../config/namespaces.js';
import { HeldFrames, isDroppable, type HeldFrame, type Shedding } from './held-frames.js';
import { OldestFirst } from './oldest-first.js';
import type { DropReason } from './receipt.js';

/** Bytes that leave at once, so that what comes later and is more important does not wait for everything. */
export const PORTION_BYTES = 64 * 1_024;

/** What became of publications that waited for slow readers, by priority. */
export class PriorityCounts {
  readonly held: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
  readonly dropped: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
}

/** Frames of one kind in order, each with its stretch. */
type Lane = Map<HeldFrame, number>;

interface Head {
  readonly frame: HeldFrame;
  readonly stretch: number;
  readonly rest: Iterator<[HeldFrame, number]>;
}

/**
 * Frames that wait for a slow reader, the publications of namespaces with a higher priority first. Frames without a
 * priority, such as replies and gaps, stay where they are: they end a stretch, and publications change places only
 * within a stretch. So everything about one channel keeps its order. Used only if a namespace has a priority.
 */
export class PrioritizedFrames extends HeldFrames {
  private readonly lanes: Readonly<Record<Priority, Lane>> = { high: new Map(), normal: new Map(), low: new Map() };
  private readonly fixed: Lane = new Map();
  private readonly droppables: Readonly<Record<Priority, OldestFirst<HeldFrame>>> = {
    high: new OldestFirst(),
    normal: new OldestFirst(),
    low: new OldestFirst(),
  };
  private stretch = 0;

  constructor(private readonly counts: PriorityCounts) {
    super();
  }

  /** Drops low before normal before high; for a newcomer that may be dropped itself, nothing above its own priority. */
  override dropOldest(newcomer?: Shedding): number {
    const isBound = newcomer !== undefined && newcomer.policy !== 'disconnect';
    const highest = isBound ? PRIORITIES.indexOf(newcomer.priority ?? 'normal') : 0;
    for (let rank = PRIORITIES.length - 1; rank >= highest; rank -= 1) {
      const oldest = this.droppables[PRIORITIES[rank] ?? 'normal'].oldest();
      if (oldest !== undefined) return this.drop(oldest, 'drop_oldest');
    }
    return 0;
  }

  override refuse(shedding: Shedding): void {
    if (shedding.priority !== undefined) this.counts.dropped[shedding.priority] += 1;
    super.refuse(shedding);
  }

  /** Removes and returns the next portion. */
  override take(): readonly HeldFrame[] {
    const taken: HeldFrame[] = [];
    let bytes = 0;
    const heads = [...PRIORITIES.map((priority) => headOf(this.lanes[priority])), headOf(this.fixed)];
    while (bytes < PORTION_BYTES) {
      const index = firstOf(heads);
      const head = heads[index];
      if (head === undefined) break;
      taken.push(head.frame);
      bytes += head.frame.bytes.length;
      heads[index] = next(head.rest);
    }
    for (const frame of taken) this.remove(frame);
    return taken;
  }

  override clear(): number {
    for (const priority of PRIORITIES) {
      this.lanes[priority].clear();
      this.droppables[priority].clear();
    }
    this.fixed.clear();
    return super.clear();
  }

  protected override place(frame: HeldFrame): void {
    const priority = frame.shedding?.priority;
    this.frames.add(frame);
    if (priority !== undefined) this.counts.held[priority] += 1;
    if (isDroppable(frame)) this.droppables[priority ?? 'normal'].add(frame);
    this.laneOf(frame).set(frame, this.stretch);
    if (priority === undefined) this.stretch += 1;
  }

  protected override remove(frame: HeldFrame): boolean {
    if (!super.remove(frame)) return false;
    this.laneOf(frame).delete(frame);
    this.droppables[frame.shedding?.priority ?? 'normal'].delete(frame);
    return true;
  }

  protected override drop(frame: HeldFrame | undefined, reason: DropReason): number {
    const dropped = super.drop(frame, reason);
    const priority = frame?.shedding?.priority;
    if (priority !== undefined) this.counts.dropped[priority] += dropped;
    return dropped;
  }

  private laneOf({ shedding }: HeldFrame): Lane {
    return shedding?.priority === undefined ? this.fixed : this.lanes[shedding.priority];
  }
}

function headOf(lane: Lane): Head | undefined {
  return next(lane.entries());
}

function next(rest: Iterator<[HeldFrame, number]>): Head | undefined {
  const { value, done } = rest.next();
  return done ? undefined : { frame: value[0], stretch: value[1], rest };
}

/** The index of the head in the earliest stretch; of several, the first. */
function firstOf(heads: readonly (Head | undefined)[]): number {
  let first = 0;
  for (let index = 1; index < heads.length; index += 1) {
    if ((heads[index]?.stretch ?? Infinity) < (heads[first]?.stretch ?? Infinity)) first = index;
  }
  return first;
}
