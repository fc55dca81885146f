import { Injectable } from '@nestjs/common';
import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { Session } from '../../sessions/session.js';
import { demandPublish, maySubscribe } from '../channel-access.js';
import { ChannelHooks } from '../channel-hooks.js';
import type { ClientMessage, Sized } from '../channel-requests.js';
import type { Channel } from '../channel.js';
import { Channels } from '../channels.js';
import { PublishLimits } from '../publish-limits.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { StateOwnership } from './channel-state.js';
import type { Box } from './area-grid.js';
import type { CellsPart, SizedView } from './areas.js';
import { demandState, demandWhole } from './demand-state.js';
import { isObject } from './merge-patch.js';
import type { StateSnapshot } from './state-channel.js';
import type { StateAnswer, StateChanges } from './state-order.js';
import { ownerOf, StateOwners } from './state-owners.js';
import { States } from './states.js';

/** A change that a client asks for. Without a patch it is a removal. */
export interface ClientStateChange {
  readonly key: string;
  readonly patch?: unknown;
  readonly ifVersion?: number | undefined;
}

/** A part of a reply that is too large for one. */
export interface StatePageReply<T> extends Sized<T> {
  /** Call it if the client did not get the part: the next one begins again. */
  readonly undo: () => void;
}

/** Requests of clients about state. Each is checked against the rules of its namespace and the application's hooks. */
@Injectable()
export class StateRequests {
  constructor(
    private readonly channels: Channels,
    private readonly states: States,
    private readonly owners: StateOwners,
    private readonly hooks: ChannelHooks,
    private readonly limits: PublishLimits,
  ) {}

  /**
   * Finds the channel, and checks the rules of its namespace: changing a value needs the right to publish.
   *
   * @throws GatehouseError UNKNOWN_CHANNEL, UNAUTHENTICATED, FORBIDDEN, NOT_SUBSCRIBED, MESSAGE_TOO_LARGE or
   *   RATE_LIMIT_EXCEEDED
   */
  demandChange(name: string, { session, bytes }: Omit<ClientMessage, 'message'>): Channel {
    const channel = this.channels.named(name);
    const { ownKey } = demandState(channel);
    const isSubscribed = this.channels.isSubscribed(session, channel);
    demandPublish(session, channel, isSubscribed);
    // Keys go with their owner, so the server must know when it leaves.
    if (ownKey !== 'none' && !isSubscribed) throw new GatehouseError('NOT_SUBSCRIBED');
    this.limits.demand(session, channel, bytes);
    return channel;
  }

  /** Asks the hooks, then sets the key. @throws as ChannelState.set, and any error of a hook */
  async set(session: Session, channel: Channel, { key, patch, ifVersion }: ClientStateChange): Promise<StateAnswer> {
    // Without a hook, nothing is awaited that need not be: thousands of changes wait for one tick.
    const isAsked = this.hooks.has('publish', channel);
    const decided = isAsked ? await this.decidedPatch(session, channel, { key, patch }) : patch;
    try {
      const answer = await this.stateOf(session, channel).set(key, decided, { ifVersion });
      this.owners.note(session, channel);
      return answer;
    } catch (error) {
      return this.refuse(session, channel, error);
    }
  }

  /** Asks the hooks, then removes the key. @throws as ChannelState.remove, and any error of a hook */
  async remove(session: Session, channel: Channel, { key, ifVersion }: ClientStateChange): Promise<StateAnswer> {
    await this.ask(session, channel, { del: [key] });
    const change = this.stateOf(session, channel).remove(key, { ifVersion });
    return change.catch((error: unknown) => this.refuse(session, channel, error));
  }

  /** Approximate size of the value that CONFLICT shows; 0 for another error. */
  bytesIn(error: unknown): number {
    return error instanceof GatehouseError && isObject(error.data) ? approximateBytes(error.data) : 0;
  }

  /**
   * The next part of a state that did not fit into the reply to `subscribe`.
   *
   * @throws GatehouseError UNKNOWN_CHANNEL, FORBIDDEN or NOT_SUBSCRIBED
   */
  nextPage(session: Session, name: string): StatePageReply<StateSnapshot> {
    const channel = this.channels.named(name);
    demandWhole(channel);
    const { snapshot, ...rest } = this.states.nextPage(session, channel);
    return { reply: snapshot, ...rest };
  }

  /**
   * Lets a subscriber look at the cells that a box touches. The right to the channel is all that it needs.
   *
   * @throws GatehouseError UNKNOWN_CHANNEL, FORBIDDEN, NOT_SUBSCRIBED, VALIDATION_FAILED, AREA_TOO_LARGE, SERVER_BUSY,
   *   or CONFLICT if the subscriber looks at another box meanwhile
   */
  look(session: Session, name: string, box: Box): Promise<SizedView> {
    return this.states.areas.look(session, this.channels.named(name), box);
  }

  /**
   * The next values of the cells that did not fit into the reply before.
   *
   * @throws GatehouseError UNKNOWN_CHANNEL, FORBIDDEN or NOT_SUBSCRIBED
   */
  nextCells(session: Session, name: string): StatePageReply<CellsPart> {
    const { part, ...rest } = this.states.areas.next(session, this.channels.named(name));
    return { reply: part, ...rest };
  }

  private async decidedPatch(
    session: Session,
    channel: Channel,
    { key, patch }: Pick<ClientStateChange, 'key' | 'patch'>,
  ): Promise<unknown> {
    const { set } = await this.ask(session, channel, { set: { [key]: patch } });
    return isObject(set) && Object.hasOwn(set, key) ? set[key] : patch;
  }

  private async ask(session: Session, channel: Channel, data: StateChanges): Promise<StateChanges> {
    const decided = await this.hooks.ask('publish', { session, channel, data });
    return isObject(decided) ? decided : data;
  }

  /** CONFLICT shows the value, but only to those who may read the channel. @throws always */
  private refuse(session: Session, channel: Channel, error: unknown): never {
    if (!(error instanceof GatehouseError) || !isObject(error.data)) throw error;
    if (this.channels.isSubscribed(session, channel) || maySubscribe(session, channel)) throw error;
    const { value: _, ...data } = error.data;
    throw new GatehouseError(error.code, { message: error.message, data });
  }

  private stateOf(session: Session, channel: Channel) {
    const { ownKey } = demandState(channel);
    const ownership: StateOwnership = ownKey === 'none' ? {} : { owner: ownerOf(session, ownKey), isOwnOnly: true };
    return this.states.of(channel, ownership);
  }
}
