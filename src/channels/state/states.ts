import { Injectable } from '@nestjs/common';
import { StateStore } from '../../cluster/ports/state-store.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';
import { ChannelHub } from '../channel-hub.js';
import type { Channel } from '../channel.js';
import { Areas } from './areas.js';
import { ChannelState, type StateOwnership } from './channel-state.js';
import { StateChannel, type SizedSnapshot } from './state-channel.js';
import { StateWriter } from './state-writer.js';

/** Gives the state of channels. */
@Injectable()
export class States {
  readonly areas: Areas;

  constructor(
    private readonly store: StateStore,
    private readonly writer: StateWriter,
    private readonly hub: ChannelHub,
  ) {
    this.areas = new Areas(hub);
  }

  /** @throws GatehouseError FORBIDDEN if the channel holds no state */
  of(channel: Channel, ownership?: StateOwnership): ChannelState {
    return new ChannelState(channel, this.store, this.writer, ownership);
  }

  /**
   * The next part of the state that a subscriber has begun to read. After `undo`, the next one begins again.
   *
   * @throws GatehouseError NOT_SUBSCRIBED
   */
  nextPage(session: Session, channel: Channel): SizedSnapshot & { readonly undo: () => void } {
    const local = this.hub.get(channel.name);
    const subscription = local?.subscriptions.get(session);
    if (!(local instanceof StateChannel) || subscription === undefined) throw new GatehouseError('NOT_SUBSCRIBED');
    return { ...local.nextPage(subscription), undo: () => local.readAgain(subscription) };
  }
}
