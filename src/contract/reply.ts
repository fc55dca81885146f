import type { Answer, DeclaredType, ValueOf } from './declared-type.js';

const REPLY = 'gatehouse:reply';

/** What else a handler may answer. */
export interface ReplyOptions {
  /** Codes of your own that it throws with `WsException`. The codes of Gatehouse need not be named. */
  readonly errors?: readonly string[];
}

/** What `@Reply()` says of a handler; `type` is undefined where the reply carries no data. */
export interface DeclaredReply {
  readonly type: DeclaredType | undefined;
  readonly errors: readonly string[];
}

/** Does not compile on a method that returns something else. */
export type ReplyDecorator<T> = <Method extends (...parameters: never[]) => Answer<T>>(
  gateway: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/**
 * Names the class of a handler's reply for the [contract](../../docs/contract.md): `@Reply(ChatJoined)`, or
 * `@Reply([ChatMessage])` for a list. `@Reply()` says that the reply carries no data.
 *
 * A handler that returns a message class directly, not as a promise, needs no decorator.
 */
export function Reply(): ReplyDecorator<void>;
export function Reply<const D extends DeclaredType>(type: D, options?: ReplyOptions): ReplyDecorator<ValueOf<D>>;
export function Reply(type?: DeclaredType, { errors = [] }: ReplyOptions = {}): ReplyDecorator<never> {
  return (_gateway, _name, { value }) => {
    const declared: DeclaredReply = { type, errors };
    Reflect.defineMetadata(REPLY, declared, value as object);
  };
}

/** Undefined where the method has no `@Reply()`. */
export function replyOf(method: object): DeclaredReply | undefined {
  return Reflect.getMetadata(REPLY, method) as DeclaredReply | undefined;
}
