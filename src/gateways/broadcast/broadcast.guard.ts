import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { demandRole } from '../../access/roles.js';
import type { SessionCheck, SessionGuard } from '../../access/session-guard.js';
import { sessionOf } from '../../access/session-of.js';
import { demandSignIn } from '../../access/signed-in.js';

export const BROADCAST_ROLES = Symbol('BroadcastRoles');

/** Who may send to everyone: BROADCAST_ROLES, or everyone signed in where that is empty. */
@Injectable()
export class BroadcastGuard implements SessionGuard {
  constructor(@Inject(BROADCAST_ROLES) private readonly roles: readonly string[]) {}

  canActivate(context: ExecutionContext): boolean {
    this.checkFor()(sessionOf(context));
    return true;
  }

  checkFor(): SessionCheck {
    const { roles } = this;
    return roles.length === 0 ? demandSignIn : (session) => demandRole(session, roles);
  }
}
