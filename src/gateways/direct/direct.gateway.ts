import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Broadcaster, CurrentMessage, RealtimeGateway, SignedIn, type MessageContext } from 'gatehouse';
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
