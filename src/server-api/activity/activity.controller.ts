import { Get } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiController } from '../http/api-controller.js';
import { ActivityAnswer } from './activity.requests.js';
import { ClusterActivity } from './cluster-activity.js';

@ApiController('Nodes')
export class ActivityController {
  constructor(private readonly activity: ClusterActivity) {}

  @Get('activity')
  @ApiOperation({ summary: 'Show the state of each node, its active anomalies, and its rates of the last ten minutes' })
  read(): Promise<ActivityAnswer> {
    return this.activity.read();
  }
}
