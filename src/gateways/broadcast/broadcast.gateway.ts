import { UseGuards } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Broadcaster, CurrentMessage, Emits, RealtimeGateway, Reply, type MessageContext } from 'gatehouse';
import { BroadcastGuard } from './broadcast.guard.js';

@Emits('broadcast')
@RealtimeGateway()
export class BroadcastGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  @UseGuards(BroadcastGuard)
  @Reply()
  @SubscribeMessage('broadcast')
  broadcast(@MessageBody() data: unknown, @CurrentMessage() { session, cipher }: MessageContext): void {
    this.broadcaster.toEveryone().from(session).sealedBy(cipher).emit('broadcast', data);
  }
}
