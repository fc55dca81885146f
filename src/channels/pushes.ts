import type { Channel } from './channel.js';
import type { LocalChannelSetup } from './local-channel-setup.js';
import { presenceChannelOf, type PresenceNews } from './presence/presence-tracker.js';

/** What travels in a channel itself: messages, with a position where the namespace has a history. */
export function messagesOf(channel: Channel): LocalChannelSetup {
  const { name, namespace } = channel;
  return {
    name,
    channel,
    delivery: namespace.delivery,
    hasHistory: namespace.history !== undefined,
    render: ({ seq, ts, data, from, trace, enc }, epoch) =>
      seq === 0
        ? { type: 'message', channel: name, ts, from, trace, enc, data }
        : { type: 'message', channel: name, seq, epoch, ts, from, trace, enc, data },
  };
}

/**
 * What travels in the companion of a channel: who joins and leaves. A user is not told of itself: its node may have been given up
 * and be back, and then other nodes tell of its leave, and its own node of its join.
 */
export function eventsOf(channel: Channel): LocalChannelSetup {
  return {
    name: presenceChannelOf(channel),
    channel,
    delivery: 'disconnect',
    hasHistory: false,
    subjectOf: ({ data }) => (data as Partial<PresenceNews> | null)?.member?.userId,
    render: ({ ts, data }) => ({ type: 'presence', channel: channel.name, ts, data }),
  };
}
