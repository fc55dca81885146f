import { Module } from '@nestjs/common';
import { BroadcastModule } from '../../broadcast/broadcast.module.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { ChatGateway } from './chat.gateway.js';
import { Rooms } from './rooms.js';

@Module({ imports: [BroadcastModule, SessionsModule], providers: [ChatGateway, Rooms] })
export class ChatModule {}
