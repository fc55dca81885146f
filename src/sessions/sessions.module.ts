import { Module } from '@nestjs/common';
import { ExpirySweep } from './expiry-sweep.js';
import { SessionEvents } from './session-events.js';
import { SessionRegistry } from './session-registry.js';

@Module({ providers: [SessionEvents, SessionRegistry, ExpirySweep], exports: [SessionEvents, SessionRegistry] })
export class SessionsModule {}
