import { UnauthorizedException, type ExecutionContext } from '@nestjs/common';
import { Session } from '../../sessions/session.js';

/** The session on whose behalf a guard, interceptor or parameter decorator runs. */
export function sessionOf(context: ExecutionContext): Session {
  const session = context.getType() === 'ws' ? context.getArgByIndex<{ session?: unknown }>(2)?.session : undefined;
  if (!(session instanceof Session))
    throw new UnauthorizedException('There is no session outside a WebSocket connection');
  return session;
}
