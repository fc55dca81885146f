import { Injectable, UseGuards, type ExecutionContext } from '@nestjs/common';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';
import type { AccessRules, SessionCheck, SessionGuard } from './session-guard.js';
import { sessionOf } from './session-of.js';

/** Admits only signed-in sessions. With AUTH_MODE=off, every client is a guest that counts as signed in. */
export function SignedIn(): ClassDecorator & MethodDecorator {
  return UseGuards(SignedInGuard);
}

@Injectable()
export class SignedInGuard implements SessionGuard {
  canActivate(context: ExecutionContext): boolean {
    demandSignIn(sessionOf(context));
    return true;
  }

  checkFor(): SessionCheck {
    return demandSignIn;
  }

  rulesFor(): AccessRules {
    return { signedIn: true };
  }
}

/**
 * Checks that a session is signed in.
 *
 * @throws GatehouseError UNAUTHENTICATED for an anonymous session
 */
export function demandSignIn(session: Session): void {
  if (session.principal.anonymous) throw new GatehouseError('UNAUTHENTICATED');
}
