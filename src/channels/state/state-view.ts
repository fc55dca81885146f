import type { Position, Publication } from '../../cluster/ports/broker.js';
import type { StatePage } from '../../cluster/ports/state-store.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { isObject, merge } from './merge-patch.js';

export interface SeenValue {
  readonly value: unknown;
  readonly version: number;
}

interface PlacedValue extends SeenValue {
  /** Grows with each key that is added, so that a reader can go on after the last one it has read. */
  readonly place: number;
}

/** The values of a channel as the store had them, for a position and what was published after it. */
export interface LoadedState {
  readonly position: Position;
  readonly values: Map<string, SeenValue>;
}

/** How often a state is read from the start if its epoch changes meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * Reads the state of a channel page by page. Some values may be newer than the position: the publications that follow
 * it say so again.
 *
 * @throws GatehouseError SERVER_BUSY if the store cannot be reached
 */
export async function loadState(read: (from?: string) => Promise<StatePage>): Promise<LoadedState> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const loaded = await loadOneLife(read);
    if (loaded !== undefined) return loaded;
  }
  throw new GatehouseError('SERVER_BUSY');
}

async function loadOneLife(read: (from?: string) => Promise<StatePage>): Promise<LoadedState | undefined> {
  const first = await read();
  const { position } = first;
  const values = new Map<string, SeenValue>();
  for (let page = first; ;) {
    if (page.position.epoch !== position.epoch || page.position.seq < position.seq) return undefined;
    for (const { key, value, version } of page.entries) values.set(key, { value, version });
    if (page.next === undefined) return { position, values };
    page = await read(page.next);
  }
}

/** The state of a channel as the subscribers on this node have it: the sum of the publications so far. */
export class StateView {
  private values = new Map<string, PlacedValue>();
  private lastPlace = 0;

  get size(): number {
    return this.values.size;
  }

  replace(values: ReadonlyMap<string, SeenValue>): void {
    this.values = new Map([...values].map(([key, seen]) => [key, { ...seen, place: this.nextPlace() }]));
  }

  get(key: string): SeenValue | undefined {
    return this.values.get(key);
  }

  /** In the order of their places: what is added comes last. */
  entries(): MapIterator<[string, PlacedValue]> {
    return this.values.entries();
  }

  /** Applies the next publication. */
  apply({ seq, data }: Publication): void {
    const { set, del } = changesIn(data);
    for (const key of del) if (this.isNews(key, seq)) this.values.delete(key);
    for (const [key, patch] of Object.entries(set)) {
      if (!this.isNews(key, seq)) continue;
      const former = this.values.get(key);
      const place = former?.place ?? this.nextPlace();
      this.values.set(key, { value: merge(former?.value, patch), version: seq, place });
    }
  }

  private nextPlace(): number {
    this.lastPlace += 1;
    return this.lastPlace;
  }

  /** False if the value was read after this publication. */
  private isNews(key: string, seq: number): boolean {
    return (this.values.get(key)?.version ?? 0) < seq;
  }
}

/** The keys that a publication is about. */
export function keysIn(data: unknown): readonly string[] {
  const { set, del } = changesIn(data);
  return [...del, ...Object.keys(set)];
}

/** Only servers publish in a state channel. What is not of this form changes nothing. */
function changesIn(data: unknown): {
  readonly set: Readonly<Record<string, unknown>>;
  readonly del: readonly string[];
} {
  const { set, del }: { readonly set?: unknown; readonly del?: unknown } = isObject(data) ? data : {};
  const keys = Array.isArray(del) ? del.filter((key): key is string => typeof key === 'string') : [];
  return { set: isObject(set) ? set : {}, del: keys };
}
