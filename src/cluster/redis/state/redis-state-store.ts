import type { ChannelName, Position } from '../../ports/broker.js';
import { encodeDraft } from '../../ports/draft-codec.js';
import { newEpoch } from '../../ports/epoch.js';
import type {
  CellPlace,
  StateCommit,
  StateEntry,
  StateOutcome,
  StatePage,
  StateStore,
} from '../../ports/state-store.js';
import { GatehouseError } from '../../../protocol/gatehouse-error.js';
import type { RedisBroker } from '../broker/redis-broker.js';
import { keysOf, MEMORY_MS, positionsIn } from '../broker/redis-entries.js';
import { busy, type RedisLink } from '../connection/redis-link.js';
import { RedisScript, type RedisArgument } from '../connection/redis-script.js';

const STATE_COMMIT = RedisScript.load('state-commit');
const STATE_READ = RedisScript.load('state-read');
const STATE_CELL = RedisScript.load('state-cell');
const STATE_EXPIRED = RedisScript.load('state-expired');

/** Keys of one read, about: with values of 16 KiB this is 1 MiB, which keeps Redis from serving others for long. */
const KEYS_AT_ONCE = 64;
const NOBODY = '-';
const FIRST = '0';

/** The state of several nodes: a hash for each channel, beside its history. */
export class RedisStateStore implements StateStore {
  constructor(
    private readonly link: RedisLink,
    private readonly broker: RedisBroker,
  ) {}

  async commit(channel: ChannelName, commit: StateCommit): Promise<StateOutcome> {
    const { replicas } = commit;
    const { acknowledgements, publisher } = this.broker;
    const lifeMs = Math.max(commit.history.ageMs, commit.ttlMs + MEMORY_MS);
    const parameters = [
      ...this.whereTold(channel),
      commit.history.size,
      commit.history.ageMs,
      lifeMs,
      acknowledgements.epochOf(channel),
      commit.epoch ?? '',
      commit.maxKeys,
      commit.ttlMs,
      commit.draft === undefined ? '' : encodeDraft(commit.draft),
      commit.cells?.grid ?? '',
      ...cellsOf(commit),
      ...commit.changes.flatMap(argumentsOf),
    ];
    try {
      const reply = await publisher.write({ script: STATE_COMMIT, keys: this.keysOf(channel), parameters, replicas });
      return this.outcomeOf(channel, reply as readonly (Buffer | number)[], {
        lifeMs,
        hasDraft: commit.draft !== undefined,
      });
    } catch (error) {
      const isUnreplicated = error instanceof GatehouseError && error.code === 'NOT_REPLICATED';
      if (isUnreplicated) this.link.emit('unreplicated', 1);
      throw error;
    }
  }

  async get(
    channel: ChannelName,
    key: string,
  ): Promise<{ readonly position: Position; readonly entry: StateEntry | undefined }> {
    const { position, entries } = await this.read(channel, key, FIRST);
    return { position, entry: entries[0] };
  }

  page(channel: ChannelName, from = FIRST): Promise<StatePage> {
    return this.read(channel, '', from);
  }

  async cellPage({ channel, grid, cell }: CellPlace, from = ''): Promise<StatePage> {
    const parameters = [...this.whereTold(channel), grid, cell, from, KEYS_AT_ONCE];
    const reply = await this.link.run(STATE_CELL, this.keysOf(channel), parameters);
    const [epoch, seq, next, ...found] = reply as readonly (Buffer | number)[];
    const position = { epoch: String(epoch), seq: Number(seq) };
    return { position, entries: this.entriesIn(found), next: String(next) === '' ? undefined : String(next) };
  }

  async expired(channel: ChannelName, limit: number): Promise<readonly string[]> {
    const keys = (await this.link.run(STATE_EXPIRED, [this.link.key(channel, 'due')], [limit])) as Buffer[];
    return keys.map(String);
  }

  private async read(channel: ChannelName, key: string, from: string): Promise<StatePage> {
    const parameters = [...this.whereTold(channel), key, from, KEYS_AT_ONCE];
    const reply = (await this.link.run(STATE_READ, this.keysOf(channel), parameters)) as readonly (Buffer | number)[];
    const [epoch, seq, next, ...found] = reply;
    const entries = this.entriesIn(found);
    const position = { epoch: String(epoch), seq: Number(seq) };
    return { position, entries, next: String(next) === FIRST ? undefined : String(next) };
  }

  private outcomeOf(
    channel: ChannelName,
    [is, ...rest]: readonly (Buffer | number)[],
    { lifeMs, hasDraft }: { readonly lifeMs: number; readonly hasDraft: boolean },
  ): StateOutcome {
    if (String(is) === 'full') return { is: 'full', room: Number(rest[0]), grown: [] };
    const [epoch, ...found] = rest;
    if (String(is) === 'stale') {
      const absent = found.filter((_, index) => index % 3 === 0 && String(found[index + 1]) === '').map(String);
      return { is: 'stale', epoch: String(epoch), entries: this.entriesIn(found), absent };
    }
    const position = { epoch: String(epoch), seq: Number(found[0]) };
    const formers = String(found[1]);
    const changed = formers === '' ? undefined : positionsIn(formers);
    if (hasDraft) this.broker.acknowledgements.note(channel, { position, formers: changed, lifeMs });
    return { is: 'done', position };
  }

  private keysOf(channel: ChannelName): readonly string[] {
    const parts = ['state', 'due', 'area', 'cells'].map((part) => this.link.key(channel, part));
    return [...keysOf(this.link, channel), ...parts];
  }

  private whereTold(channel: ChannelName): readonly RedisArgument[] {
    return [newEpoch(), this.link.publishCommand, this.link.key(channel)];
  }

  /** @param found key, entry, whether its time is over, of each */
  private entriesIn(found: readonly (Buffer | number)[]): StateEntry[] {
    const entries: StateEntry[] = [];
    for (let index = 0; index < found.length; index += 3) {
      const text = String(found[index + 1]);
      if (text !== '') entries.push(this.entryIn(String(found[index]), text, found[index + 2] === 1));
    }
    return entries;
  }

  /** @throws GatehouseError SERVER_BUSY if another program or release has written it */
  private entryIn(key: string, text: string, hasExpired: boolean): StateEntry {
    const end = text.indexOf('\n');
    const [version, owner = NOBODY] = text.slice(0, end).split(' ');
    try {
      const value: unknown = JSON.parse(text.slice(end + 1));
      const whose = owner === NOBODY ? undefined : decodeURIComponent(owner.slice(1));
      return { key, value, version: Number(version), owner: whose, hasExpired };
    } catch {
      this.link.emit('failed', 'unreadable: the state of a key');
      throw busy();
    }
  }
}

/** Their number, and the name and the publication of each. */
function cellsOf({ cells }: StateCommit): readonly RedisArgument[] {
  const drafts = cells?.drafts ?? [];
  return [drafts.length, ...drafts.flatMap(({ cell, draft }) => [cell, encodeDraft(draft)])];
}

function argumentsOf({
  key,
  what,
  expected,
  owner,
  value,
  formerCell,
  cell,
}: StateCommit['changes'][number]): readonly RedisArgument[] {
  const whose = owner === undefined ? NOBODY : `=${encodeURIComponent(owner)}`;
  return [key, what, expected, whose, what === 'set' ? JSON.stringify(value) : '', formerCell ?? '', cell ?? ''];
}
