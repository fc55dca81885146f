import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';

/** Turns the payload into the handler's argument, or throws; may answer with a promise. */
export type PayloadTransform = (value: unknown) => unknown;

/**
 * A pipe that can say at start what it will do to one parameter; the dispatcher then calls that directly.
 * It stays a Nest pipe, which is what runs as soon as a handler has an interceptor or a foreign guard.
 */
export interface MessagePipe extends PipeTransform {
  /** The transformation of one parameter; undefined where the pipe leaves it as it is. */
  transformFor(parameter: ArgumentMetadata): PayloadTransform | undefined;
}

export function isMessagePipe(pipe: PipeTransform): pipe is MessagePipe {
  return typeof (pipe as Partial<MessagePipe>).transformFor === 'function';
}
