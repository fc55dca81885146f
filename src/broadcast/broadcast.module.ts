import { Module } from '@nestjs/common';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Broadcaster } from './broadcaster.js';

@Module({ imports: [SessionsModule], providers: [Broadcaster], exports: [Broadcaster] })
export class BroadcastModule {}
