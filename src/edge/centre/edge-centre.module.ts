import { Module } from '@nestjs/common';
import { ChannelsModule } from '../../channels/channels.module.js';
import { EdgeGateway } from './edge.gateway.js';
import { Forwarding } from './forwarding.js';

/** What a server needs to be the centre of edge nodes. Loaded only where EDGE_CENTRE is on. */
@Module({ imports: [ChannelsModule], providers: [EdgeGateway, Forwarding] })
export class EdgeCentreModule {}
