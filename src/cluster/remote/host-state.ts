import { MemoryStateStore } from '../memory/memory-state-store.js';
import type { ChannelName } from '../ports/broker.js';
import type { CellPlace, StateChange, StateEntry, StateOutcome } from '../ports/state-store.js';
import { historyOf, wrapped, type HostBroker } from './host-broker.js';
import { ownCopy } from './own-copy.js';
import { LongAnswer } from './remote-messages.js';

/** A change as it travels. The value is encoded. */
export type WireChange = readonly [
  key: string,
  expected: number,
  what: StateChange['what'],
  value: Uint8Array | undefined,
  owner: string | undefined,
  /** In a channel with an area: where the key is afterwards. */
  cell: string | undefined,
];
export type WireEntry = readonly [
  key: string,
  value: Uint8Array,
  version: number,
  owner: string | undefined,
  hasExpired: boolean,
];
export interface WireCommit {
  readonly changes: readonly WireChange[];
  readonly epoch: string | undefined;
  readonly draft: Uint8Array | undefined;
  readonly limits: readonly [size: number, ageMs: number];
  readonly maxKeys: number;
  readonly ttlMs: number;
  readonly cells:
    | { readonly grid: string; readonly drafts: readonly (readonly [cell: string, draft: Uint8Array])[] }
    | undefined;
}
export type WireOutcome =
  | Exclude<StateOutcome, { is: 'stale' }>
  | (Omit<Extract<StateOutcome, { is: 'stale' }>, 'entries'> & { readonly entries: readonly WireEntry[] });

/** The values of state channels in memory. They stay encoded here: only workers read them. */
export class HostState {
  private readonly memory: MemoryStateStore;

  constructor(broker: HostBroker, budgetBytes: number) {
    this.memory = new MemoryStateStore(broker.memory, budgetBytes);
  }

  async commit(channel: ChannelName, { changes, draft, limits, cells, ...rest }: WireCommit): Promise<WireOutcome> {
    const outcome = await this.memory.commit(channel, {
      ...rest,
      changes: changes.map(([key, expected, what, value, owner, cell]) => ({
        key,
        expected,
        what,
        value: value && ownCopy(value),
        owner,
        cell,
      })),
      draft: draft && wrapped(draft, true),
      history: historyOf(limits) ?? { size: 0, ageMs: 0 },
      replicas: 0,
      cells: cells && {
        grid: cells.grid,
        drafts: cells.drafts.map(([cell, told]) => ({ cell, draft: wrapped(told, false) })),
      },
    });
    return outcome.is === 'stale' ? { ...outcome, entries: outcome.entries.map(wireEntry) } : outcome;
  }

  async get(channel: ChannelName, key: string) {
    const { position, entry } = await this.memory.get(channel, key);
    return [position, entry && wireEntry(entry)];
  }

  async page(channel: ChannelName): Promise<LongAnswer> {
    const { position, entries } = await this.memory.page(channel);
    return new LongAnswer(entries.map(wireEntry), position);
  }

  async cellPage(place: CellPlace): Promise<LongAnswer> {
    const { position, entries } = await this.memory.cellPage(place);
    return new LongAnswer(entries.map(wireEntry), position);
  }

  expired(channel: ChannelName, limit: number): Promise<readonly string[]> {
    return this.memory.expired(channel, limit);
  }

  close(): void {
    this.memory.close();
  }
}

function wireEntry({ key, value, version, owner, hasExpired }: StateEntry): WireEntry {
  return [key, value as Uint8Array, version, owner, hasExpired];
}
