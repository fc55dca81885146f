import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { MessageContext } from './message-context.js';

/** Reads the value of a parameter from the context of the message. */
export type ContextReader = (context: MessageContext) => unknown;

const READER = Symbol('gatehouse:reader');

/**
 * Creates a parameter decorator from a function of the message's context. Unlike `createParamDecorator` it needs no
 * ExecutionContext, so the handler is still called directly.
 */
export function messageParameter(read: ContextReader): () => ParameterDecorator {
  const factory = (_data: unknown, context: ExecutionContext): unknown =>
    read(context.getArgByIndex<MessageContext>(2));
  return createParamDecorator(Object.assign(factory, { [READER]: read }));
}

/** The function that a decorator was created from; undefined for other decorators. */
export function readerOf(factory: unknown): ContextReader | undefined {
  return (factory as { [READER]?: ContextReader } | undefined)?.[READER];
}

/** The session that sent the message. */
export const CurrentSession = messageParameter(({ session }) => session);

/** The principal of the sender: user id, roles, expiry. */
export const CurrentPrincipal = messageParameter(({ session }) => session.principal);

/** The correlation id of the message, or undefined. */
export const MessageId = messageParameter(({ message }) => message.id);

/** The message in progress: session, envelope, size, and steps after the reply. */
export const CurrentMessage = messageParameter((context) => context);
