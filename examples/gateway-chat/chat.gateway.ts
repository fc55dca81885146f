import { MessageBody, SubscribeMessage, WsException } from '@nestjs/websockets';
import { Broadcaster, CurrentSession, RealtimeGateway, Roles, type Session } from 'gatehouse';
import { ChatPost, RoomName } from './chat.messages.js';
import { Rooms } from './rooms.js';

@Roles('MEMBER')
@RealtimeGateway()
export class ChatGateway {
  constructor(
    private readonly rooms: Rooms,
    private readonly broadcaster: Broadcaster,
  ) {}

  @SubscribeMessage('chat.join')
  join(@MessageBody() { room }: RoomName, @CurrentSession() session: Session): { members: number } {
    this.rooms.join(room, session);
    return { members: this.rooms.membersOf(room).size };
  }

  @SubscribeMessage('chat.post')
  post(@MessageBody() { room, text }: ChatPost, @CurrentSession() session: Session): { receivers: number } {
    if (!this.rooms.has(room, session)) throw new WsException({ code: 'NOT_IN_ROOM', message: 'Join the room first' });
    let receivers = 0;
    for (const { id } of this.rooms.membersOf(room)) {
      receivers += this.broadcaster.toSession(id).except(session).from(session).emit('chat.posted', { room, text });
    }
    return { receivers };
  }

  @SubscribeMessage('chat.leave')
  leave(@MessageBody() { room }: RoomName, @CurrentSession() session: Session): void {
    this.rooms.leave(room, session);
  }
}
