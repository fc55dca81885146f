import { UseGuards } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Broadcaster } from '../../broadcast/broadcaster.js';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import { CurrentMessage } from '../../dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';
import { BroadcastGuard } from './broadcast.guard.js';

@RealtimeGateway()
export class BroadcastGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  @UseGuards(BroadcastGuard)
  @SubscribeMessage('broadcast')
  broadcast(@MessageBody() data: unknown, @CurrentMessage() { session, cipher }: MessageContext): void {
    this.broadcaster.toEveryone().from(session).sealedBy(cipher).emit('broadcast', data);
  }
}
