import { Injectable, type OnModuleInit } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { SessionEvents, type Session } from 'gatehouse';

const MAX_ROOMS = 10_000;
const MAX_MEMBERS = 500;
const MAX_ROOMS_OF_SESSION = 20;

/** Who is in which room, on this node and until it restarts. Everything that can grow has a bound, and an error for it. */
@Injectable()
export class Rooms implements OnModuleInit {
  private readonly members = new Map<string, Set<Session>>();
  private readonly joined = new Map<Session, Set<string>>();

  constructor(private readonly events: SessionEvents) {}

  onModuleInit(): void {
    this.events.on('closed', (session) => this.leaveAll(session));
  }

  /** @throws WsException where there is no room, in one sense or another */
  join(room: string, session: Session): void {
    const members = this.members.get(room) ?? new Set();
    const rooms = this.joined.get(session) ?? new Set();
    if (members.has(session)) return;
    if (members.size === 0 && this.members.size >= MAX_ROOMS) throw full('No more rooms can be opened');
    if (members.size >= MAX_MEMBERS) throw full('The room is full');
    if (rooms.size >= MAX_ROOMS_OF_SESSION) throw full('Leave another room first');

    this.members.set(room, members.add(session));
    this.joined.set(session, rooms.add(room));
  }

  leave(room: string, session: Session): void {
    const members = this.members.get(room);
    members?.delete(session);
    if (members?.size === 0) this.members.delete(room);
    const rooms = this.joined.get(session);
    rooms?.delete(room);
    if (rooms?.size === 0) this.joined.delete(session);
  }

  has(room: string, session: Session): boolean {
    return this.members.get(room)?.has(session) ?? false;
  }

  membersOf(room: string): ReadonlySet<Session> {
    return this.members.get(room) ?? new Set();
  }

  private leaveAll(session: Session): void {
    for (const room of this.joined.get(session) ?? []) this.leave(room, session);
  }
}

function full(message: string): WsException {
  return new WsException({ code: 'ROOM_LIMIT_REACHED', message });
}
