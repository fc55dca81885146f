import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { demandRole } from '../../access/guards/roles.js';
import type { SessionCheck, SessionGuard } from '../../access/guards/session-guard.js';
import { sessionOf } from '../../access/guards/session-of.js';
import { demandSignIn } from '../../access/guards/signed-in.js';

/** Who may send to everyone: BROADCAST_ROLES, or everyone signed in where that is empty. */
@Injectable()
export class BroadcastGuard implements SessionGuard {
  private readonly roles: readonly string[];

  constructor(@Inject(Settings) { authentication }: Pick<Settings, 'authentication'>) {
    this.roles = authentication.broadcastRoles;
  }

  canActivate(context: ExecutionContext): boolean {
    this.checkFor()(sessionOf(context));
    return true;
  }

  checkFor(): SessionCheck {
    const { roles } = this;
    return roles.length === 0 ? demandSignIn : (session) => demandRole(session, roles);
  }
}
