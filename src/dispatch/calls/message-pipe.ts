import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';

/** Turns the payload into the handler's argument, or throws. May return a promise. */
export type PayloadTransform = (value: unknown) => unknown;

/**
 * A pipe that can say at the start what it does to a parameter. The dispatcher then calls that function directly. It
 * remains a Nest pipe, which runs if a handler has an interceptor or another kind of guard.
 */
export interface MessagePipe extends PipeTransform {
  /** The transformation of one parameter; undefined if the pipe does not change it. */
  transformFor(parameter: ArgumentMetadata): PayloadTransform | undefined;
}

export function isMessagePipe(pipe: PipeTransform): pipe is MessagePipe {
  return typeof (pipe as Partial<MessagePipe>).transformFor === 'function';
}
