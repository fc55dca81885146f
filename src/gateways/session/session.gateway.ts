import { Inject } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Settings } from '../../../config/settings.js';
import { Revocations } from '../../access/lists/revocations.js';
import { TokenVerifier } from '../../authentication/token-verifier.js';
import { CurrentSession } from '../../dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { Session } from '../../sessions/session.js';
import { AuthRefresh, type Hello } from './session.messages.js';

@RealtimeGateway()
export class SessionGateway {
  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'server' | 'heartbeat' | 'messages'>,
    private readonly sessions: SessionRegistry,
    private readonly tokens: TokenVerifier,
    private readonly revocations: Revocations,
  ) {}

  @SubscribeMessage('ping')
  ping(): { serverTime: number } {
    return { serverTime: Date.now() };
  }

  @SubscribeMessage('hello')
  hello(@CurrentSession() { id, principal, codec }: Session): Hello {
    const { server, heartbeat, messages } = this.settings;
    return {
      sessionId: id,
      nodeId: server.serverId,
      userId: principal.anonymous ? null : principal.userId,
      roles: principal.roles,
      protocol: codec.subprotocol,
      heartbeat,
      limits: { maxMessageBytes: messages.maxBytes, messageRate: messages.rate, messageBurst: messages.burst },
      serverTime: Date.now(),
    };
  }

  @SubscribeMessage('auth_refresh')
  async refresh(
    @MessageBody() { token }: AuthRefresh,
    @CurrentSession() session: Session,
  ): Promise<{ expiresAt: number | null }> {
    const verdict = await this.tokens.verify(token);
    if (!verdict.ok && verdict.reason === 'unavailable') throw new GatehouseError('UPSTREAM_UNAVAILABLE');
    if (!verdict.ok) throw new GatehouseError('UNAUTHENTICATED', { message: 'Invalid or expired token' });
    if (verdict.principal.userId !== session.userId)
      throw new GatehouseError('FORBIDDEN', { message: 'Token of another user' });
    const principal = this.revocations.judge(verdict.principal);
    if (principal === undefined) throw new GatehouseError('UNAUTHENTICATED', { message: 'Token revoked' });
    // The client is told which subscriptions it loses before it gets the reply.
    const former = session.principal;
    await this.sessions.renew(session, principal);
    this.sessions.events.emit('refreshed', session, former);
    return { expiresAt: verdict.principal.expiresAt ?? null };
  }
}
