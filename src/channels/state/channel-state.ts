import type { Position } from '../../cluster/ports/broker.js';
import type { StateStore } from '../../cluster/ports/state-store.js';
import type { Channel } from '../channel.js';
import { checkedPatch, demandKey } from './checked-patch.js';
import type { StateAnswer, StateOrder } from './state-order.js';
import type { StateWriter } from './state-writer.js';
import { loadState } from './state-view.js';
import { demandState } from './demand-state.js';

/** How a key is changed. */
export interface StateChangeOptions {
  /** Only if the key is at this version; 0: only if it is absent. Otherwise CONFLICT, with the value. */
  readonly ifVersion?: number | undefined;
}

/** Who changes a key: under `own_key` it becomes theirs, and keys of others are out of reach. */
export type StateOwnership = Pick<StateOrder, 'owner' | 'isOwnOnly'>;

/** A value as it is. */
export interface StateValue extends StateAnswer {
  readonly value: unknown;
}

/** The values of one channel whose namespace has `state`. All nodes and all subscribers see the same. */
export class ChannelState {
  constructor(
    private readonly channel: Channel,
    private readonly store: StateStore,
    private readonly writer: StateWriter,
    private readonly ownership: StateOwnership = {},
  ) {
    demandState(channel);
  }

  /**
   * Merges a patch into the value of a key: `state.set('robot-7', { x: 4, alarm: null })`. A field that is null is
   * removed (RFC 7396). Resolves when the change is stored and on its way to the subscribers, at most a tick later.
   *
   * @throws GatehouseError VALIDATION_FAILED, CONFLICT with the value as `data`, MESSAGE_TOO_LARGE,
   *   STATE_LIMIT_REACHED, SERVER_BUSY, NOT_REPLICATED
   */
  set(key: string, patch: unknown, options: StateChangeOptions = {}): Promise<StateAnswer> {
    return this.order({ key, what: 'set', patch, ifVersion: options.ifVersion });
  }

  /** Replaces the whole value of a key. @throws as `set` */
  replace(key: string, value: unknown, options: StateChangeOptions = {}): Promise<StateAnswer> {
    return this.order({ key, what: 'replace', patch: value, ifVersion: options.ifVersion });
  }

  /** Removes a key. It need not be there. @throws as `set` */
  remove(key: string, options: StateChangeOptions = {}): Promise<StateAnswer> {
    return this.order({ key, what: 'remove', ifVersion: options.ifVersion });
  }

  /** Undefined if the key is absent. @throws GatehouseError SERVER_BUSY or VALIDATION_FAILED */
  async get(key: string): Promise<StateValue | undefined> {
    demandKey(key);
    const { position, entry } = await this.store.get(this.channel.name, key);
    if (entry === undefined || entry.hasExpired) return undefined;
    return { key, epoch: position.epoch, version: entry.version, value: entry.value };
  }

  /** All values, read from the store, and a position that they are not older than. @throws GatehouseError SERVER_BUSY */
  async all(): Promise<{ readonly position: Position; readonly values: ReadonlyMap<string, unknown> }> {
    const { position, values } = await loadState((from) => this.store.page(this.channel.name, from));
    return { position, values: new Map([...values].map(([key, { value }]) => [key, value])) };
  }

  /** Whatever is wrong becomes a rejection. */
  private async order({ key, what, patch, ifVersion }: StateOrder): Promise<StateAnswer> {
    demandKey(key);
    const checked = what === 'remove' ? undefined : checkedPatch(patch, demandState(this.channel).round);
    const { owner, isOwnOnly } = this.ownership;
    return this.writer.carryOut(this.channel, { key, what, patch: checked, ifVersion, owner, isOwnOnly });
  }
}
