import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { SocketModule } from '../socket/socket.module.js';
import { UpgradeModule } from '../upgrade/upgrade.module.js';
import { Handshakes } from './handshakes.js';
import { SessionOpener } from './session-opener.js';

/** Connects the upgrade and dispatch: an accepted client becomes a session whose frames are dispatched. */
@Module({
  imports: [AccessModule, DispatchModule, SessionsModule, SocketModule, UpgradeModule],
  providers: [SessionOpener, Handshakes],
  exports: [SessionOpener, Handshakes],
})
export class EndpointModule {}
