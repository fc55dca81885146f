import { SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { HandlerReference } from './session-guard.js';

const REPLAY_PROTECTED = 'gatehouse:replay-protected';

/**
 * Makes the server handle each message once, and refuse old ones. The message must have an `id` and a `ts`. A
 * repetition gets the first reply. On a class it applies to every handler.
 */
export function ReplayProtected(): ClassDecorator & MethodDecorator {
  return SetMetadata(REPLAY_PROTECTED, true);
}

export function isReplayProtected(reflector: Reflector, { gateway, method }: HandlerReference): boolean {
  return reflector.getAllAndOverride<boolean | undefined>(REPLAY_PROTECTED, [method, gateway]) ?? false;
}
