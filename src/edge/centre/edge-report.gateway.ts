import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Roles } from '../../access/guards/roles.js';
import { Reply } from '../../contract/reply.js';
import { CurrentSession } from '../../dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';
import type { Session } from '../../sessions/session.js';
import { EDGE_ROLE } from '../edge-protocol.js';
import { EdgeLosses } from './edge-losses.js';
import { AnnouncedLosses } from './edge-losses.messages.js';
import { EdgeReported } from './edge-report.messages.js';
import { ReportedEdges } from './reported-edges.js';

/** Takes what edges say of themselves. */
@Roles(EDGE_ROLE)
@RealtimeGateway()
export class EdgeReportGateway {
  constructor(
    private readonly edges: ReportedEdges,
    private readonly losses: EdgeLosses,
  ) {}

  @Reply()
  @SubscribeMessage('edge.report')
  report(@MessageBody() report: EdgeReported, @CurrentSession() session: Session): void {
    this.edges.report(session, report);
  }

  @Reply()
  @SubscribeMessage('edge.losses')
  lose(@MessageBody() { losses }: AnnouncedLosses, @CurrentSession() { principal }: Session): void {
    this.losses.announce(principal.userId, losses);
  }
}
