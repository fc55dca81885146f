import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useClient } from './react.js';
import { openState, type ChannelState, type ChannelStateOptions, type ChannelStateSnapshot } from './state.js';

const WAITING: ChannelStateSnapshot = { state: 'waiting', values: new Map() };
const waiting = (): ChannelStateSnapshot => WAITING;

export interface ChannelStateInReact<V> extends ChannelStateSnapshot<V> {
  /** Undefined until the component is mounted. */
  readonly channel: ChannelState<V> | undefined;
}

/**
 * The state of a channel while the component is mounted. Renders after each change. The box of `area` may be a new list
 * with each render.
 */
export function useChannelState<V = unknown>(
  name: string,
  { area }: Pick<ChannelStateOptions<V>, 'area'> = {},
): ChannelStateInReact<V> {
  const client = useClient();
  const box = useRef(area);
  useEffect(() => void (box.current = area));
  const [channel, setChannel] = useState<ChannelState<V>>();
  useEffect(() => {
    const opened = openState<V>(client, name, { area: box.current });
    setChannel(opened);
    return () => opened.close();
  }, [client, name]);
  const corners = area?.join();
  useEffect(() => {
    if (box.current) channel?.look(box.current);
  }, [channel, corners]);
  const subscribe = useCallback((listener: () => void) => channel?.subscribe(listener) ?? (() => {}), [channel]);
  const read = (channel?.getSnapshot ?? waiting) as () => ChannelStateSnapshot<V>;
  const snapshot = useSyncExternalStore(subscribe, read, waiting as () => ChannelStateSnapshot<V>);
  return { ...snapshot, channel };
}
