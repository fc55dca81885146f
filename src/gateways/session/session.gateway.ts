import { Inject } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentSession, RealtimeGateway, Settings, TokenRenewal, type Session } from 'gatehouse';
import { AuthRefresh, type Hello } from './session.messages.js';

@RealtimeGateway()
export class SessionGateway {
  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'server' | 'heartbeat' | 'messages'>,
    private readonly tokens: TokenRenewal,
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
    return { expiresAt: (await this.tokens.renew(session, token)) ?? null };
  }
}
