import { Body, Delete, Get, Put, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Principal } from '../../authentication/principal.js';
import { AdminOnly } from '../http/admin.guard.js';
import { ApiController, Problems, WithBody } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { Caller } from '../http/caller.js';
import { LogLevelOrders } from './log-level-orders.js';
import { LogLevelsAnswer, LogLevelsQuery, LogLevelsRequest } from './log-levels.requests.js';

/** Log levels of the nodes, until they restart. */
@ApiController('Logs')
@AdminOnly()
export class LogLevelsController {
  constructor(private readonly orders: LogLevelOrders) {}

  @Get('logs/levels')
  @ApiOperation({ summary: 'Get the log levels of all nodes' })
  look(@Caller() caller: Principal): Promise<LogLevelsAnswer> {
    return this.orders.look(caller.userId);
  }

  @Put('logs/levels')
  @Audited('set-log-levels', 'levels', 'nodeId')
  @ApiOperation({
    summary: 'Change the log levels of one node or of all nodes, for a time or until the process restarts',
  })
  @Problems(404, 504)
  @WithBody()
  change(@Caller() caller: Principal, @Body() { levels, seconds, nodeId }: LogLevelsRequest): Promise<LogLevelsAnswer> {
    return this.orders.change({ levels, seconds, by: caller.userId }, nodeId);
  }

  @Delete('logs/levels')
  @Audited('restore-log-levels', 'nodeId')
  @ApiOperation({ summary: 'Reset the log levels of one node or of all nodes to LOG_LEVEL' })
  @Problems(404, 504)
  restore(@Caller() caller: Principal, @Query() { nodeId }: LogLevelsQuery): Promise<LogLevelsAnswer> {
    return this.orders.restore(caller.userId, nodeId);
  }
}
