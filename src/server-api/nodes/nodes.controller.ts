import { Body, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { ApiController, Problems, WithBody } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { DrainOrders } from './drain-orders.js';
import { DrainAnswer, DrainRequest, NodesAnswer } from './nodes.requests.js';

@ApiController('Nodes')
export class NodesController {
  constructor(
    private readonly registry: NodeRegistry,
    private readonly orders: DrainOrders,
  ) {}

  @Get('nodes')
  @ApiOperation({ summary: 'List the nodes of the cluster and their load' })
  list(): NodesAnswer {
    return { nodes: this.registry.nodes };
  }

  @Post('drain')
  @HttpCode(200)
  @Audited('drain', 'nodeId')
  @ApiOperation({
    summary:
      'Drain a node: it moves all its clients to other nodes. A drain cannot be undone, and the process keeps running',
  })
  @Problems(404, 504)
  @WithBody()
  drain(@Body() { nodeId }: DrainRequest): Promise<DrainAnswer> {
    return this.orders.give(nodeId);
  }
}
