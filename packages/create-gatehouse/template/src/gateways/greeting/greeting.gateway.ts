import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Broadcaster, CurrentSession, RealtimeGateway, SignedIn, type Session } from 'gatehouse';
import { GreetingSend } from './greeting.messages.js';

@RealtimeGateway()
export class GreetingGateway {
  constructor(private readonly broadcaster: Broadcaster) {}

  /** Tells everyone else, and answers the sender: what it returns is the data of `greeting.send_reply`. */
  @SignedIn()
  @SubscribeMessage('greeting.send')
  send(@MessageBody() { name }: GreetingSend, @CurrentSession() session: Session): { text: string } {
    this.broadcaster.toEveryone().except(session).from(session).emit('greeting.sent', { name });
    return { text: `Hello, ${name}!` };
  }
}
