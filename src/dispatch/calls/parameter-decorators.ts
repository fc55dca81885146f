import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { MessageContext } from './message-context.js';

/** Reads the value of a parameter from the context of the message. */
export type ContextReader = (context: MessageContext) => unknown;

const READER = Symbol('gatehouse:reader');

/**
 * Makes a parameter decorator out of a function of the message's context. Unlike one made by createParamDecorator
 * alone it needs no ExecutionContext, so a handler that uses it is still called directly.
 */
export function messageParameter(read: ContextReader): () => ParameterDecorator {
  const factory = (_data: unknown, context: ExecutionContext): unknown =>
    read(context.getArgByIndex<MessageContext>(2));
  return createParamDecorator(Object.assign(factory, { [READER]: read }));
}

/** The function a decorator was made from; undefined for one that was made elsewhere. */
export function readerOf(factory: unknown): ContextReader | undefined {
  return (factory as { [READER]?: ContextReader } | undefined)?.[READER];
}

/** The session that sent the message. */
export const CurrentSession = messageParameter(({ session }) => session);

/** Who sent the message: user id, roles, expiry. */
export const CurrentPrincipal = messageParameter(({ session }) => session.principal);

/** The correlation id of the message, or undefined. */
export const MessageId = messageParameter(({ message }) => message.id);

/** The message on its way: session, envelope, size, and what is to follow the reply. */
export const CurrentMessage = messageParameter((context) => context);
