import type { DeclaredType } from './declared-type.js';

const EMITS = 'gatehouse:emits';

/** A message that the server sends by itself. */
export interface DeclaredEvent {
  readonly type: string;
  readonly data: DeclaredType | undefined;
  /** The class that bears the decorator, for messages to people. */
  readonly source: string;
}

/**
 * Declares for the [contract](../../docs/contract.md) that a gateway, or any other provider, sends messages of this type:
 * `@Emits('chat.posted', ChatPosted)`. Without a class the message may carry anything. May stand several times on one class.
 */
export function Emits(type: string, data?: DeclaredType): ClassDecorator {
  return (source) => {
    const present = eventsOf(source);
    Reflect.defineMetadata(EMITS, [{ type, data, source: source.name }, ...present], source);
  };
}

/** What a class declares to send. */
export function eventsOf(source: object): readonly DeclaredEvent[] {
  return (Reflect.getOwnMetadata(EMITS, source) ?? []) as readonly DeclaredEvent[];
}
