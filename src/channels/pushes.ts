import type { Publication } from '../cluster/ports/broker.js';
import { cellChannelOf } from '../cluster/ports/state-store.js';
import type { Channel } from './channel.js';
import type { LocalChannelSetup, PushTemplate } from './local-channel-setup.js';
import { presenceChannelOf, type PresenceNews } from './presence/presence-tracker.js';

/** Pushes of a channel itself: messages, with a position if the namespace has a history. */
export function messagesOf(channel: Channel): LocalChannelSetup {
  const { namespace } = channel;
  return {
    name: channel.name,
    channel,
    // No change of a state may be dropped; a slow reader gets several as one.
    delivery: namespace.state === undefined ? namespace.delivery : 'disconnect',
    // With an area, each cell has a line of its own.
    hasHistory: namespace.history !== undefined && namespace.state?.area === undefined,
    render: messageFrom,
  };
}

/** Pushes of one cell of a state channel with an area. */
export function changesOf(channel: Channel, cell: string): LocalChannelSetup {
  return { ...messagesOf(channel), name: cellChannelOf(channel.name, cell), cell, hasHistory: true };
}

/**
 * Pushes of a companion channel: joins and leaves. A user does not get its own events: if its node was given up and is
 * back, other nodes publish its leave and its own node its join.
 */
export function eventsOf(channel: Channel): LocalChannelSetup {
  return {
    name: presenceChannelOf(channel),
    channel,
    delivery: 'disconnect',
    hasHistory: false,
    subjectOf: subjectOfEvent,
    render: eventFrom,
  };
}

const messageFrom: PushTemplate = ({ seq, ts, data, from, trace, enc }, epoch, { name }) =>
  seq === 0
    ? { type: 'message', channel: name, ts, from, trace, enc, data }
    : { type: 'message', channel: name, seq, epoch, ts, from, trace, enc, data };

const eventFrom: PushTemplate = ({ ts, data }, _epoch, { name }) => ({ type: 'presence', channel: name, ts, data });

function subjectOfEvent({ data }: Publication): string | undefined {
  return (data as Partial<PresenceNews> | null)?.member?.userId;
}
