import { Injectable } from '@nestjs/common';
import type { Principal } from '../authentication/principal.js';
import { TokenVerifier } from '../authentication/token-verifier.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';
import { Revocations } from './lists/revocations.js';

/** Gives an open session the rights and the expiry of a new token of the same user. */
@Injectable()
export class TokenRenewal {
  constructor(
    private readonly sessions: SessionRegistry,
    private readonly tokens: TokenVerifier,
    private readonly revocations: Revocations,
  ) {}

  /**
   * Resolves when the client has been told which subscriptions it loses.
   *
   * @returns when the token expires, in milliseconds since 1970; undefined if never
   * @throws GatehouseError UNAUTHENTICATED if the token is invalid or revoked, FORBIDDEN if it belongs to another
   *   user, UPSTREAM_UNAVAILABLE while its key cannot be fetched
   */
  async renew(session: Session, token: string): Promise<number | undefined> {
    const verified = await this.verified(token);
    if (verified.userId !== session.userId)
      throw new GatehouseError('FORBIDDEN', { message: 'Token belongs to another user' });
    const principal = this.revocations.judge(verified);
    if (principal === undefined) throw new GatehouseError('UNAUTHENTICATED', { message: 'Token revoked' });
    const former = session.principal;
    await this.sessions.renew(session, principal);
    this.sessions.events.emit('refreshed', session, former);
    return verified.expiresAt;
  }

  private async verified(token: string): Promise<Principal> {
    const verdict = await this.tokens.verify(token);
    if (verdict.ok) return verdict.principal;
    if (verdict.reason === 'unavailable') throw new GatehouseError('UPSTREAM_UNAVAILABLE');
    throw new GatehouseError('UNAUTHENTICATED', { message: 'Invalid or expired token' });
  }
}
