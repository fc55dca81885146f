import { Inject } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentSession, RealtimeGateway, Reply, Settings, TokenRenewal, type Session } from 'gatehouse';
import { AuthRefresh, Hello, Pong, TokenExpiry } from './session.messages.js';

@RealtimeGateway()
export class SessionGateway {
  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'server' | 'heartbeat' | 'messages'>,
    private readonly tokens: TokenRenewal,
  ) {}

  @Reply(Pong)
  @SubscribeMessage('ping')
  ping(): Pong {
    return { serverTime: Date.now() };
  }

  @Reply(Hello)
  @SubscribeMessage('hello')
  hello(@CurrentSession() { id, principal, codec, lifetime }: Session): Hello {
    const { server, heartbeat, messages } = this.settings;
    return {
      sessionId: id,
      nodeId: server.serverId,
      userId: principal.anonymous ? null : principal.userId,
      roles: principal.roles,
      protocol: codec.subprotocol,
      heartbeat: { intervalMs: heartbeat.intervalMs, timeoutMs: heartbeat.timeoutMs },
      ...(lifetime && { connection: lifetime }),
      limits: { maxMessageBytes: messages.maxBytes, messageRate: messages.rate, messageBurst: messages.burst },
      serverTime: Date.now(),
    };
  }

  @Reply(TokenExpiry)
  @SubscribeMessage('auth_refresh')
  async refresh(@MessageBody() { token }: AuthRefresh, @CurrentSession() session: Session): Promise<TokenExpiry> {
    return { expiresAt: (await this.tokens.renew(session, token)) ?? null };
  }
}
