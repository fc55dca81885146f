import { UseGuards } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Broadcaster } from '../../broadcast/broadcaster.js';
import { CurrentSession } from '../../dispatch/parameter-decorators.js';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';
import type { Session } from '../../sessions/session.js';
import { BroadcastGuard } from './broadcast.guard.js';

@RealtimeGateway()
export class BroadcastGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  @UseGuards(BroadcastGuard)
  @SubscribeMessage('broadcast')
  broadcast(@MessageBody() data: unknown, @CurrentSession() session: Session): void {
    this.broadcaster.toEveryone().from(session).emit('broadcast', data);
  }
}
