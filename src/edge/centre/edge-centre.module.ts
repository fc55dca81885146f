import { Global, Module, type FactoryProvider } from '@nestjs/common';
import { ChannelsModule } from '../../channels/channels.module.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { ConnectedEdges } from '../connected-edges.js';
import { EdgeLosses } from './edge-losses.js';
import { EdgeOrders } from './edge-orders.js';
import { EdgeReportGateway } from './edge-report.gateway.js';
import { EdgeGateway } from './edge.gateway.js';
import { Forwarding } from './forwarding.js';
import { ReportedEdges } from './reported-edges.js';

const reportedEdges: FactoryProvider<ReportedEdges> = {
  provide: ReportedEdges,
  inject: [SessionRegistry],
  useFactory: (registry: SessionRegistry) => new ReportedEdges(registry),
};

/**
 * What a server needs to be the centre of edge nodes. Loaded only where EDGE_CENTRE is on. Global: it implements a port of
 * the API and of metrics.
 */
@Global()
@Module({
  imports: [ChannelsModule, SessionsModule],
  providers: [
    EdgeGateway,
    EdgeLosses,
    EdgeOrders,
    EdgeReportGateway,
    Forwarding,
    reportedEdges,
    { provide: ConnectedEdges, useExisting: ReportedEdges },
  ],
  exports: [ConnectedEdges, EdgeLosses],
})
export class EdgeCentreModule {}
