import { MessageBody, SubscribeMessage, WsException } from '@nestjs/websockets';
import { Broadcaster, CurrentSession, Emits, RealtimeGateway, Reply, Roles, type Session } from 'gatehouse';
import { ChatJoined, ChatPost, ChatReceivers, RoomName } from './chat.messages.js';
import { Rooms } from './rooms.js';

@Roles('MEMBER')
@Emits('chat.posted', ChatPost)
@RealtimeGateway()
export class ChatGateway {
  constructor(
    private readonly rooms: Rooms,
    private readonly broadcaster: Broadcaster,
  ) {}

  @Reply(ChatJoined, { errors: ['ROOM_LIMIT_REACHED'] })
  @SubscribeMessage('chat.join')
  join(@MessageBody() { room }: RoomName, @CurrentSession() session: Session): ChatJoined {
    this.rooms.join(room, session);
    return { members: this.rooms.membersOf(room).size };
  }

  @Reply(ChatReceivers, { errors: ['NOT_IN_ROOM'] })
  @SubscribeMessage('chat.post')
  post(@MessageBody() { room, text }: ChatPost, @CurrentSession() session: Session): ChatReceivers {
    if (!this.rooms.has(room, session)) throw new WsException({ code: 'NOT_IN_ROOM', message: 'Join the room first' });
    let receivers = 0;
    for (const { id } of this.rooms.membersOf(room)) {
      receivers += this.broadcaster.toSession(id).except(session).from(session).emit('chat.posted', { room, text });
    }
    return { receivers };
  }

  @Reply()
  @SubscribeMessage('chat.leave')
  leave(@MessageBody() { room }: RoomName, @CurrentSession() session: Session): void {
    this.rooms.leave(room, session);
  }
}
