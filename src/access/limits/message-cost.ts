import { SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { HandlerReference } from '../guards/session-guard.js';

const MESSAGE_COST = 'gatehouse:message-cost';

/**
 * What a message of this type costs of the sender's message rate, in tokens: 1 where nothing is said. On a class it holds for
 * every handler that says nothing. A cost that no client could pay stops the start.
 */
export function MessageCost(tokens: number): ClassDecorator & MethodDecorator {
  return SetMetadata(MESSAGE_COST, tokens);
}

export function messageCost(reflector: Reflector, { gateway, method }: HandlerReference): number {
  return reflector.getAllAndOverride<number | undefined>(MESSAGE_COST, [method, gateway]) ?? 1;
}
