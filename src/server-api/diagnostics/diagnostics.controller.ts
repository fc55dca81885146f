import { Body, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { ServerResponse } from 'node:http';
import { AdminOnly } from '../http/admin.guard.js';
import { ApiController, Problems, ProblemWhere, WithBody } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { HandlersAnswer, SummaryAnswer } from '../../observability/diagnostics/diagnostics.answers.js';
import { ClusterDiagnostics } from './cluster-diagnostics.js';
import { ProfileRequest, HeapSnapshotRequest, ListQuery, NodeQuery } from './diagnostics.requests.js';
import { awaitAnswer, goneSignal, sendDownload } from './download.js';
import { QueuesAnswer } from '../../observability/diagnostics/queues.answer.js';

const DEFAULT_LIMIT = 20;
const DEFAULT_SECONDS = 10;
const UNDER_WAY = 'Another snapshot or profile is in progress, or still being downloaded';
const FILE = { content: { 'application/json': { schema: { type: 'object' } } } };

/** The state of this node, for finding faults. */
@AdminOnly()
@ApiController('Diagnostics')
export class DiagnosticsController {
  constructor(private readonly desk: ClusterDiagnostics) {}

  @Get('diagnostics')
  @ApiOperation({ summary: 'Get memory, event loop, processor and sessions of this node' })
  @Problems(404, 421, 422)
  summary(@Query() { nodeId }: NodeQuery): Promise<SummaryAnswer> {
    return this.desk.of(nodeId).summary();
  }

  @Get('diagnostics/handlers')
  @ApiOperation({
    summary: 'Get the slowest message types, the slowest calls and the running calls of this node',
  })
  @Problems(404, 421, 422)
  handlers(@Query() { nodeId, limit = DEFAULT_LIMIT }: ListQuery): HandlersAnswer {
    return this.desk.of(nodeId).handlers(limit);
  }

  @Get('diagnostics/queues')
  @ApiOperation({ summary: 'Get the queues of this node and the sessions with the longest ones' })
  @Problems(404, 421, 422)
  queues(@Query() { nodeId, limit = DEFAULT_LIMIT }: ListQuery): Promise<QueuesAnswer> {
    return this.desk.of(nodeId).queues(limit);
  }

  @Post('diagnostics/heap-snapshot')
  @HttpCode(200)
  @Audited('heap-snapshot', 'nodeId')
  @ApiOperation({
    summary:
      'Download everything in memory, including keys and tokens, as a .heapsnapshot. The node stops for the time it takes',
  })
  @ApiOkResponse({ ...FILE, description: 'For the Memory panel of Chrome' })
  @Problems(404, 421, 507)
  @ProblemWhere(403, 'The token does not have the role ADMIN, or HEAP_SNAPSHOTS is off')
  @ProblemWhere(409, UNDER_WAY)
  @ProblemWhere(429, 'The last snapshot was less than HEAP_SNAPSHOT_PAUSE_MS ago; has Retry-After')
  @WithBody()
  async heapSnapshot(@Body() { nodeId }: HeapSnapshotRequest, @Res() response: ServerResponse): Promise<void> {
    awaitAnswer(response);
    await sendDownload(response, await this.desk.of(nodeId).heapSnapshot());
  }

  @Post('diagnostics/cpu-profile')
  @HttpCode(200)
  @Audited('cpu-profile', 'nodeId')
  @ApiOperation({ summary: 'Record the processor for some seconds, as a .cpuprofile' })
  @ApiOkResponse({ ...FILE, description: 'For the Performance panel of Chrome' })
  @Problems(404, 421)
  @ProblemWhere(409, UNDER_WAY)
  @WithBody()
  async cpuProfile(
    @Body() { nodeId, seconds = DEFAULT_SECONDS }: ProfileRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    awaitAnswer(response);
    await sendDownload(response, await this.desk.of(nodeId).profile('cpu', seconds, goneSignal(response)));
  }

  @Post('diagnostics/heap-profile')
  @HttpCode(200)
  @Audited('heap-profile', 'nodeId')
  @ApiOperation({
    summary: 'Record which functions allocate memory that stays in use, for some seconds, as a .heapprofile',
  })
  @ApiOkResponse({ ...FILE, description: 'For the Memory panel of Chrome' })
  @Problems(404, 421)
  @ProblemWhere(409, UNDER_WAY)
  @WithBody()
  async heapProfile(
    @Body() { nodeId, seconds = DEFAULT_SECONDS }: ProfileRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    awaitAnswer(response);
    await sendDownload(response, await this.desk.of(nodeId).profile('heap', seconds, goneSignal(response)));
  }
}
