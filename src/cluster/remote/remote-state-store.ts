import { pack, unpack, packIfFaithful, escaped, unescaped } from '../ports/faithful-pack.js';
import type { ChannelName, Position } from '../ports/broker.js';
import { encodeDraft } from '../ports/draft-codec.js';
import type { CellPlace, StateCommit, StateEntry, StateOutcome, StatePage, StateStore } from '../ports/state-store.js';
import type { WireChange, WireCommit, WireEntry, WireOutcome } from './host-state.js';
import type { WholeAnswer } from './open-calls.js';
import type { RemoteLink } from './remote-link.js';

/** The state of channels, in the primary. */
export class RemoteStateStore implements StateStore {
  constructor(private readonly link: RemoteLink) {}

  async commit(channel: ChannelName, { changes, draft, history, cells, ...rest }: StateCommit): Promise<StateOutcome> {
    const commit: WireCommit = {
      changes: changes.map(({ key, expected, what, value, owner, cell }): WireChange => [
        key,
        expected,
        what,
        what === 'set' ? encoded(value) : undefined,
        owner,
        cell,
      ]),
      epoch: rest.epoch,
      draft: draft && encodeDraft(draft),
      limits: [history.size, history.ageMs],
      maxKeys: rest.maxKeys,
      ttlMs: rest.ttlMs,
      cells: cells && {
        grid: cells.grid,
        drafts: cells.drafts.map(({ cell, draft: told }) => [cell, encodeDraft(told)] as const),
      },
    };
    const outcome = (await this.link.call('state.commit', channel, commit)) as WireOutcome;
    return outcome.is === 'stale' ? { ...outcome, entries: outcome.entries.map(entryOf) } : outcome;
  }

  async get(
    channel: ChannelName,
    key: string,
  ): Promise<{ readonly position: Position; readonly entry: StateEntry | undefined }> {
    const reply = (await this.link.call('state.get', channel, key)) as [Position, WireEntry | undefined];
    const [position, entry] = reply;
    return { position, entry: entry && entryOf(entry) };
  }

  /** All at once: the primary sends them in parts. */
  async page(channel: ChannelName): Promise<StatePage> {
    const { items, rest } = (await this.link.call('state.page', channel)) as WholeAnswer;
    return { position: rest as Position, entries: (items as WireEntry[]).map(entryOf), next: undefined };
  }

  async cellPage(place: CellPlace): Promise<StatePage> {
    const { items, rest } = (await this.link.call('state.cellPage', place)) as WholeAnswer;
    return { position: rest as Position, entries: (items as WireEntry[]).map(entryOf), next: undefined };
  }

  async expired(channel: ChannelName, limit: number): Promise<readonly string[]> {
    return (await this.link.call('state.expired', channel, limit)) as string[];
  }
}

/** The first byte says whether texts are escaped. */
function encoded(value: unknown): Buffer {
  const faithful = packIfFaithful(value);
  return Buffer.concat([Buffer.of(faithful === undefined ? 1 : 0), faithful ?? pack(escaped(value))]);
}

function entryOf([key, value, version, owner, hasExpired]: WireEntry): StateEntry {
  const known = unpack(value.subarray(1));
  return { key, value: value[0] === 1 ? unescaped(known) : known, version, owner, hasExpired };
}
