import { LiveState } from './state/live-state.js';
import type { ChannelState, ChannelStateOptions } from './state/state-types.js';

export type * from './state/state-types.js';

/**
 * Follows the state of a channel whose namespace has `state`. One at a time for each channel and client: do not open
 * the channel with `client.channel` besides.
 */
export function openState<V = unknown>(
  client: object,
  channel: string,
  options: ChannelStateOptions<V> = {},
): ChannelState<V> {
  return new LiveState(
    client as ConstructorParameters<typeof LiveState>[0],
    channel,
    options as ChannelStateOptions,
  ) as unknown as ChannelState<V>;
}
