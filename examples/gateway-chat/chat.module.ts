import { Module } from '@nestjs/common';
import { ChatGateway } from './chat.gateway.js';
import { Rooms } from './rooms.js';

@Module({ providers: [ChatGateway, Rooms] })
export class ChatModule {}
