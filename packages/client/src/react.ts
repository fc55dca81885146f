import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from 'react';
import type { HistoryOptions, PublishOptions } from './channels.js';
import type { Client } from './client.js';
import type {
  ChannelData,
  ChannelName,
  Contract,
  ReplyData,
  RequestData,
  RequestType,
  UntypedContract,
} from './contract.js';
import { failure, type GatehouseError } from './errors.js';
import type { ChannelOptions, ChannelSnapshot } from './handle.js';
import type { Member } from './presence.js';
import type { RequestOptions } from './requests.js';
import { IDLE, type ConnectionSnapshot } from './snapshot.js';

const ClientContext = createContext<Client | undefined>(undefined);

export interface GatehouseProviderProps {
  /** One client for the whole application, made outside of components. */
  readonly client: object;
  readonly children?: ReactNode;
}

/** Gives the client to all components in it. */
export function GatehouseProvider({ client, children }: GatehouseProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client as Client }, children);
}

/** The client of the nearest provider. */
export function useClient<C extends Contract = UntypedContract>(): Client<C> {
  const client = useContext(ClientContext);
  if (client === undefined) throw new Error('There is no GatehouseProvider around this component');
  return client as unknown as Client<C>;
}

/** The state of the connection. Connects, unless that has been done. */
export function useConnection(): ConnectionSnapshot {
  const client = useClient();
  useEffect(() => {
    if (client.getSnapshot().state === 'idle') client.connect();
  }, [client]);
  return useSyncExternalStore(client.subscribe, client.getSnapshot, () => IDLE);
}

const WAITING: ChannelSnapshot = { state: 'waiting' };

export interface ChannelInReact<D> extends ChannelSnapshot {
  publish(data: D, options?: PublishOptions): Promise<unknown>;
  history(options?: HistoryOptions): Promise<unknown>;
}

/**
 * Reads a channel while the component is mounted. The options may be new objects with each render: the newest handlers are
 * called, and only another name subscribes again.
 */
export function useChannel<C extends Contract = UntypedContract, N extends ChannelName<C> = ChannelName<C>>(
  name: N,
  options: ChannelOptions<ChannelData<C, N>> = {},
): ChannelInReact<ChannelData<C, N>> {
  const client = useClient<C>();
  const latest = useLatest(options);
  const { load, onPresence } = options;
  const [hasLoad, hasPresence] = [load !== undefined, onPresence !== undefined];
  const [channel, setChannel] = useState<ReturnType<typeof client.channel<N>>>();
  useEffect(() => {
    const opened = client.channel(name, {
      onMessage: (publication) => latest.current.onMessage?.(publication),
      onGap: (gap) => latest.current.onGap?.(gap),
      onError: (error) => latest.current.onError?.(error),
      ...(hasLoad && { load: async (asked) => latest.current.load?.(asked) }),
      ...(hasPresence && { onPresence: (members) => latest.current.onPresence?.(members) }),
    });
    setChannel(opened);
    return () => opened.close();
  }, [client, name, hasLoad, hasPresence, latest]);
  const subscribe = useCallback((listener: () => void) => channel?.subscribe(listener) ?? (() => {}), [channel]);
  const snapshot = useSyncExternalStore(subscribe, channel?.getSnapshot ?? waiting, waiting);
  return useMemo(() => {
    const opened = (): NonNullable<typeof channel> => {
      if (channel === undefined) throw failure('NOT_CONNECTED');
      return channel;
    };
    return {
      ...snapshot,
      publish: async (data, publishing) => opened().publish(data, publishing),
      history: async (asked) => opened().history(asked),
    };
  }, [snapshot, channel]);
}

const waiting = (): ChannelSnapshot => WAITING;

/** Who is in a channel. Undefined until the server has told. */
export function usePresence<C extends Contract = UntypedContract>(name: ChannelName<C>): readonly Member[] | undefined {
  const [members, setMembers] = useState<{ of: string; list: readonly Member[] }>();
  useChannel<C>(name, { onPresence: (list) => setMembers({ of: name, list }) });
  return members?.of === name ? members.list : undefined;
}

export interface RequestInReact<D, R> {
  readonly send: (data: D, options?: RequestOptions) => Promise<R>;
  readonly pending: boolean;
  readonly reply: R | undefined;
  readonly error: GatehouseError | undefined;
}

/** A request that a component sends: while it is under way, and how the last one ended. */
export function useRequest<C extends Contract = UntypedContract, T extends RequestType<C> = RequestType<C>>(
  type: T,
): RequestInReact<RequestData<C, T>, ReplyData<C, T>> {
  type Result = { reply?: ReplyData<C, T>; error?: GatehouseError };
  const client = useClient<C>();
  const [result, setResult] = useState<Result & { pending: boolean }>({ pending: false });
  const latest = useRef(0);
  useEffect(() => () => void (latest.current = -1), []);
  const send = useCallback(
    async (data: RequestData<C, T>, options?: RequestOptions): Promise<ReplyData<C, T>> => {
      const round = Math.max(0, latest.current) + 1;
      latest.current = round;
      const finish = (ended: Result): void => {
        if (latest.current === round) setResult({ ...ended, pending: false });
      };
      setResult({ pending: true });
      try {
        const reply = (await (client as unknown as Client).request(type, data, options)) as ReplyData<C, T>;
        finish({ reply });
        return reply;
      } catch (error) {
        finish({ error: error as GatehouseError });
        throw error;
      }
    },
    [client, type],
  );
  return { send, pending: result.pending, reply: result.reply, error: result.error };
}

function useLatest<T>(value: T): { readonly current: T } {
  const ref = useRef(value);
  useEffect(() => void (ref.current = value));
  return ref;
}
