/** What a server offers, as `npm run contract` writes it: its requests, its events and the publications of its channels. */
export interface Contract {
  readonly requests: object;
  readonly events: object;
  readonly channels: object;
}

/** Without a contract, every name is allowed and every payload is `unknown`. */
export interface UntypedContract {
  readonly requests: Record<string, { readonly data: unknown; readonly reply: unknown }>;
  readonly events: Record<string, unknown>;
  readonly channels: Record<string, unknown>;
}

export type RequestType<C extends Contract> = keyof C['requests'] & string;
export type RequestData<C extends Contract, T extends RequestType<C>> = C['requests'][T] extends { data: infer D }
  ? D
  : unknown;
export type ReplyData<C extends Contract, T extends RequestType<C>> = C['requests'][T] extends { reply: infer R }
  ? R
  : unknown;

export type EventType<C extends Contract> = keyof C['events'] & string;

/** `room:*` of the contract is any channel of the namespace `room`. */
export type ChannelName<C extends Contract> = keyof C['channels'] extends infer K
  ? K extends `${infer Namespace}:*`
    ? `${Namespace}:${string}`
    : K & string
  : never;

export type ChannelData<C extends Contract, N extends string> = N extends keyof C['channels']
  ? C['channels'][N]
  : N extends `${infer Namespace}:${string}`
    ? `${Namespace}:*` extends keyof C['channels']
      ? C['channels'][`${Namespace}:*`]
      : unknown
    : unknown;
