import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Broadcaster, CurrentMessage, Emits, RealtimeGateway, Reply, SignedIn, type MessageContext } from 'gatehouse';
import { DirectMessage, SendMessage, SendResult } from './direct.messages.js';

@Emits('direct_message', DirectMessage)
@RealtimeGateway()
export class DirectGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  @SignedIn()
  @Reply(SendResult)
  @SubscribeMessage('send_message')
  async send(
    @MessageBody() { targetUserId, message }: SendMessage,
    @CurrentMessage() { session, cipher }: MessageContext,
  ): Promise<SendResult> {
    const data = { from: session.publisher, message };
    return { sessions: await this.broadcaster.toUser(targetUserId).sealedBy(cipher).deliver('direct_message', data) };
  }
}
