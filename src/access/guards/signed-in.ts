import { Injectable, UseGuards } from '@nestjs/common';
import { RuleGuard } from './rule-guard.js';
import type { AccessRules } from './session-guard.js';

/** Admits only signed-in sessions. With AUTH_MODE=off, every client is a guest that counts as signed in. */
export function SignedIn(): ClassDecorator & MethodDecorator {
  return UseGuards(SignedInGuard);
}

@Injectable()
export class SignedInGuard extends RuleGuard {
  rulesFor(): AccessRules {
    return { signedIn: true };
  }
}
