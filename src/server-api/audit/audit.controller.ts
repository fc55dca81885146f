import { Get, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { AdminOnly } from '../http/admin.guard.js';
import { ApiController, Problems } from '../http/api-controller.js';
import { AuditAnswer, AuditQuery } from './audit.requests.js';
import { ClusterAudit } from './cluster-audit.js';

const DEFAULT_LIMIT = 100;

@ApiController('Audit')
@AdminOnly()
export class AuditController {
  constructor(private readonly audit: ClusterAudit) {}

  @Get('audit')
  @ApiOperation({ summary: 'Read the newest audit lines of all nodes, which each node keeps in memory' })
  @Problems(422)
  newest(@Query() { limit = DEFAULT_LIMIT, cause }: AuditQuery): Promise<AuditAnswer> {
    return this.audit.newest({ limit, ...(cause !== undefined && { cause }) });
  }
}
