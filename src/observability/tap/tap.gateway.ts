import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Roles } from '../../access/guards/roles.js';
import { Emits } from '../../contract/emits.js';
import { Reply } from '../../contract/reply.js';
import { CurrentMessage } from '../../dispatch/calls/parameter-decorators.js';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';
import { StartTap, TapEnd, TapLine, TapStarted, TapStopped } from './tap.messages.js';
import { Taps } from './taps.js';

/** Shows an operator live what one user, session, channel or type of message does, over all nodes. */
@Roles('ADMIN')
@Emits('tap.line', TapLine)
@Emits('tap.end', TapEnd)
@RealtimeGateway()
export class TapGateway {
  constructor(private readonly taps: Taps) {}

  @Reply(TapStarted)
  @SubscribeMessage('tap.start')
  start(@MessageBody() request: StartTap, @CurrentMessage() { session }: MessageContext): Promise<TapStarted> {
    return this.taps.start(session, request);
  }

  @Reply(TapStopped)
  @SubscribeMessage('tap.stop')
  stop(@CurrentMessage() { session }: MessageContext): TapStopped {
    return { wasActive: this.taps.stop(session) };
  }
}
