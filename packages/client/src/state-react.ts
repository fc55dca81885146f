import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { useClient } from './react.js';
import { openState, type ChannelState, type ChannelStateSnapshot } from './state.js';

const WAITING: ChannelStateSnapshot = { state: 'waiting', values: new Map() };
const waiting = (): ChannelStateSnapshot => WAITING;

export interface ChannelStateInReact<V> extends ChannelStateSnapshot<V> {
  /** Undefined until the component is mounted. */
  readonly channel: ChannelState<V> | undefined;
}

/** The state of a channel while the component is mounted. Renders after each change. */
export function useChannelState<V = unknown>(name: string): ChannelStateInReact<V> {
  const client = useClient();
  const [channel, setChannel] = useState<ChannelState<V>>();
  useEffect(() => {
    const opened = openState<V>(client, name);
    setChannel(opened);
    return () => opened.close();
  }, [client, name]);
  const subscribe = useCallback((listener: () => void) => channel?.subscribe(listener) ?? (() => {}), [channel]);
  const read = (channel?.getSnapshot ?? waiting) as () => ChannelStateSnapshot<V>;
  const snapshot = useSyncExternalStore(subscribe, read, waiting as () => ChannelStateSnapshot<V>);
  return { ...snapshot, channel };
}
