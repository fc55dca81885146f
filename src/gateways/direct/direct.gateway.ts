import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { SignedIn } from '../../access/guards/signed-in.js';
import { Broadcaster } from '../../broadcast/broadcaster.js';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import { CurrentMessage } from '../../dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';
import { SendMessage } from './direct.messages.js';

@RealtimeGateway()
export class DirectGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  @SignedIn()
  @SubscribeMessage('send_message')
  async send(
    @MessageBody() { targetUserId, message }: SendMessage,
    @CurrentMessage() { session, cipher }: MessageContext,
  ): Promise<{ sessions: number }> {
    const data = { from: session.publisher, message };
    return { sessions: await this.broadcaster.toUser(targetUserId).sealedBy(cipher).deliver('direct_message', data) };
  }
}
