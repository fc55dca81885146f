import { Injectable } from '@nestjs/common';
import type { AskedHook } from '../../config/hooks.js';
import { readRights } from '../authentication/claims.js';
import type { Principal } from '../authentication/principal.js';
import type { ConnectDecisions, ConnectRequest } from '../upgrade/connect-decisions.js';
import type { RefusalReason } from '../upgrade/ladder/refusals.js';
import { denialOf, onlyFields, sessionForBackEnd, type Denial } from './answers.js';
import type { HookAnswer } from './hook-client.js';
import type { HookClients } from './hook-clients.js';
import { HookFailure } from './hook-failure.js';

interface Decision {
  readonly denied: Denial | undefined;
  /** Undefined: those of the token. */
  readonly rights: Partial<Pick<Principal, 'roles' | 'capabilities'>>;
}

/** Asks the back end who may connect. */
@Injectable()
export class ConnectHookDecisions implements ConnectDecisions {
  constructor(
    private readonly hook: AskedHook,
    private readonly clients: HookClients,
  ) {}

  async decide({ principal, sessionId, address, path }: ConnectRequest): Promise<Principal | RefusalReason> {
    const data = { ...sessionForBackEnd({ id: sessionId, principal, address }), path };
    try {
      const { denied, rights } = await this.clients.post(this.hook.endpoint, { type: 'connect', data }, readDecision);
      const session = { id: sessionId, principal, address };
      const about = { hook: 'connect', endpoint: this.hook.endpoint, session } as const;
      if (denied === undefined) {
        if (Object.keys(rights).length > 0) this.clients.decided({ ...about, verdict: 'rights_given' });
        return Object.freeze({ ...principal, ...rights });
      }
      this.clients.decided({ ...about, verdict: 'denied', code: denied.code });
      return denied.code === 'UNAUTHENTICATED' ? 'unauthenticated' : 'denied_by_back_end';
    } catch (error) {
      if (error instanceof HookFailure) return 'back_end_unavailable';
      throw error;
    }
  }
}

function readDecision(answer: HookAnswer): Decision {
  onlyFields(answer, ['deny', 'roles', 'channels']);
  const given = readRights(answer);
  if (given === undefined) throw new Error('its roles or channels are not of the form of a token');
  const { roles, capabilities } = given;
  return {
    denied: denialOf(answer.deny),
    rights: {
      ...(answer.roles !== undefined && { roles }),
      ...(answer.channels !== undefined && { capabilities }),
    },
  };
}
