import { Inject, Injectable } from '@nestjs/common';
import { RuleGuard, Settings, type AccessRules } from 'gatehouse';

/** Who may send to everyone: BROADCAST_ROLES, or every signed-in user if that is empty. */
@Injectable()
export class BroadcastGuard extends RuleGuard {
  private readonly rules: AccessRules;

  constructor(@Inject(Settings) { authentication }: Pick<Settings, 'authentication'>) {
    super();
    const { broadcastRoles: roles } = authentication;
    this.rules = roles.length === 0 ? { signedIn: true } : { roles };
  }

  rulesFor(): AccessRules {
    return this.rules;
  }
}
