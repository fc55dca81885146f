import { UnauthorizedException, type ExecutionContext } from '@nestjs/common';
import { Session } from '../../sessions/session.js';

/** The session that a guard, interceptor or parameter decorator runs for. */
export function sessionOf(context: ExecutionContext): Session {
  const session = context.getType() === 'ws' ? context.getArgByIndex<{ session?: unknown }>(2)?.session : undefined;
  if (!(session instanceof Session))
    throw new UnauthorizedException('There is no session outside a WebSocket connection');
  return session;
}
