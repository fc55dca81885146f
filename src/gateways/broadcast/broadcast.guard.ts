import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import {
  demandRole,
  demandSignIn,
  sessionOf,
  Settings,
  type AccessRules,
  type SessionCheck,
  type SessionGuard,
} from 'gatehouse';

/** Who may send to everyone: BROADCAST_ROLES, or every signed-in user if that is empty. */
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

  rulesFor(): AccessRules {
    return this.roles.length === 0 ? { signedIn: true } : { roles: this.roles };
  }
}
