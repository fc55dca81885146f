import { Get, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiController, Problems } from '../http/api-controller.js';
import { ClusterEdges } from './cluster-edges.js';
import { EdgesAnswer, EdgesQuery } from './edges.requests.js';

const DEFAULT_LIMIT = 100;

@ApiController('Edges')
export class EdgesController {
  constructor(private readonly edges: ClusterEdges) {}

  @Get('edges')
  @ApiOperation({
    summary: 'List the edge nodes that are connected, or were within a day, and what they say of themselves',
  })
  @Problems(422)
  list(@Query() { after, limit = DEFAULT_LIMIT }: EdgesQuery): Promise<EdgesAnswer> {
    return this.edges.page({ after, limit });
  }
}
