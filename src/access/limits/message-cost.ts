import { SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { HandlerReference } from '../guards/session-guard.js';

const MESSAGE_COST = 'gatehouse:message-cost';

/**
 * The cost of a message of this type in tokens of the sender's message rate; 1 by default. On a class it applies to
 * every handler without a cost of its own. The server does not start if no client could ever pay the cost.
 */
export function MessageCost(tokens: number): ClassDecorator & MethodDecorator {
  return SetMetadata(MESSAGE_COST, tokens);
}

export function messageCost(reflector: Reflector, { gateway, method }: HandlerReference): number {
  return reflector.getAllAndOverride<number | undefined>(MESSAGE_COST, [method, gateway]) ?? 1;
}
