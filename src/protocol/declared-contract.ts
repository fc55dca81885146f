/**
 * The form of the `Contract` that `npm run contract` writes. As a parameter of a type, ContractShape itself stands for no
 * contract: then every type may carry anything.
 */
export interface ContractShape {
  /** Type → what a client sends, and what it is answered. */
  readonly requests: object;
  /** Type → data of what the server sends by itself. */
  readonly events: object;
  /** Pattern, such as `room:*` → data of what is published there. */
  readonly channels: object;
}

/** The types that the server may send by itself. */
export type EventType<C extends ContractShape> = ContractShape extends C ? string : keyof C['events'] & string;

/** The data that goes with a type, as the rest of a parameter list: it may be left out where it may be undefined. */
export type EventData<C extends ContractShape, Type extends string> = ContractShape extends C
  ? [data?: unknown]
  : Type extends keyof C['events']
    ? undefined extends C['events'][Type]
      ? [data?: C['events'][Type]]
      : [data: C['events'][Type]]
    : never;

/** The names of channels that there can be. */
export type ChannelNameOf<C extends ContractShape> = ContractShape extends C
  ? string
  : NameFor<keyof C['channels'] & string>;

type NameFor<Pattern extends string> = Pattern extends `${infer Namespace}:*` ? `${Namespace}:${string}` : never;

/** What is published in a channel of this name. */
export type PublicationOf<C extends ContractShape, Name extends string> = ContractShape extends C
  ? unknown
  : Name extends `${infer Namespace}:${string}`
    ? C['channels'][`${Namespace}:*` & keyof C['channels']]
    : never;
