import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Broadcaster, CurrentSession, Emits, RealtimeGateway, Reply, SignedIn, type Session } from 'gatehouse';
import { GreetingReply, GreetingSend, GreetingSent } from './greeting.messages.js';

@Emits('greeting.sent', GreetingSent)
@RealtimeGateway()
export class GreetingGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  /** Tells everyone else, and answers the sender: what it returns is the data of `greeting.send_reply`. */
  @SignedIn()
  @Reply(GreetingReply)
  @SubscribeMessage('greeting.send')
  send(@MessageBody() { name }: GreetingSend, @CurrentSession() session: Session): GreetingReply {
    this.broadcaster.toEveryone().except(session).from(session).emit('greeting.sent', { name });
    return { text: `Hello, ${name}!` };
  }
}
