import { Injectable, UseGuards, type ExecutionContext } from '@nestjs/common';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';
import type { AccessRules, SessionCheck, SessionGuard } from './session-guard.js';
import { sessionOf } from './session-of.js';

/** Lets only signed-in sessions pass. Where AUTH_MODE is off, everyone is a guest who counts as signed in. */
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
 * Passes a session that is signed in.
 *
 * @throws GatehouseError UNAUTHENTICATED for an anonymous session
 */
export function demandSignIn(session: Session): void {
  if (session.principal.anonymous) throw new GatehouseError('UNAUTHENTICATED');
}
