import type { Session } from '../../sessions/session.js';
import type { ChannelHub } from '../channel-hub.js';
import type { Channel } from '../channel.js';
import { CellChannel } from './cell-channel.js';

/** The cells of a channel that a session looks at. */
export function cellsOf(hub: ChannelHub, session: Session, channel: Channel): readonly CellChannel[] {
  if (channel.namespace.state?.area === undefined) return [];
  return hub
    .channelsOf(session)
    .filter((local): local is CellChannel => local instanceof CellChannel && local.channel.name === channel.name);
}

export function leaveCells(hub: ChannelHub, session: Session, channel: Channel): void {
  for (const cell of cellsOf(hub, session, channel)) hub.remove(session, cell);
}
