import { SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { HandlerReference } from './session-guard.js';

const REPLAY_PROTECTED = 'gatehouse:replay-protected';

/**
 * Has a message carried out once only, and not if it is old: it must bear an `id` and a `ts`. A repetition is answered as
 * the first was. On a class it holds for every handler.
 */
export function ReplayProtected(): ClassDecorator & MethodDecorator {
  return SetMetadata(REPLAY_PROTECTED, true);
}

export function isReplayProtected(reflector: Reflector, { gateway, method }: HandlerReference): boolean {
  return reflector.getAllAndOverride<boolean | undefined>(REPLAY_PROTECTED, [method, gateway]) ?? false;
}
