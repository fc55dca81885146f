import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import type { NodeLoad, NodeReport } from '../../cluster/ports/node-registry.js';
import { NodeId } from './node-id.js';

export class NodeLoadAnswer implements NodeLoad {
  @ApiProperty({ example: 1_204 })
  sessions!: number;

  @ApiProperty({ description: 'Maximum number of sessions; 0 means no limit', example: 50_000 })
  maxSessions!: number;

  @ApiProperty({ example: 1.2 })
  eventLoopLagMs!: number;

  @ApiProperty({ description: 'Bytes that wait for slow readers', example: 0 })
  bufferedBytes!: number;

  @ApiProperty({ description: 'Share of one core; more than 1 if several cores are busy', example: 0.31 })
  processor!: number;
}

export class NodeAnswer implements NodeReport {
  @ApiProperty({ description: 'SERVER_ID', example: 'node-1' })
  nodeId!: string;

  @ApiProperty({ description: 'Changes with every start of the process', example: 'qV7m2LxT' })
  incarnation!: string;

  @ApiProperty({ description: 'URL of its WebSocket endpoint', example: 'wss://node-1.example.com/ws' })
  url!: string;

  @ApiProperty({ example: '0.1.0' })
  version!: string;

  @ApiProperty({ description: 'Milliseconds since 1970', example: 1_795_363_200_000 })
  startedAt!: number;

  @ApiProperty({ description: 'Whether it accepts connections: false while it starts, drains or is overloaded' })
  isReady!: boolean;

  @ApiProperty()
  load!: NodeLoadAnswer;
}

export class NodesAnswer {
  @ApiProperty({ type: [NodeAnswer], description: 'Measured once a second' })
  nodes!: readonly NodeAnswer[];
}

export class DrainRequest {
  @ApiPropertyOptional({
    description: 'SERVER_ID of the node. Absent: the node that gets the request',
    example: 'node-2',
  })
  @IsOptional()
  @NodeId()
  nodeId?: string;
}

export class DrainAnswer {
  @ApiProperty({ example: 'node-2' })
  nodeId!: string;

  @ApiProperty({ description: 'Sessions that were open when the drain began', example: 1_204 })
  sessions!: number;

  @ApiProperty({ description: 'Sessions that are still open', example: 1_204 })
  remaining!: number;

  @ApiProperty({
    description: 'Milliseconds within which clients reconnect, each at a random moment',
    example: 5_000,
  })
  reconnectWindowMs!: number;

  @ApiProperty({ description: 'Start of the drain, in milliseconds since 1970', example: 1_795_363_200_000 })
  startedAt!: number;
}

export class RouteAnswer {
  @ApiProperty({ example: 'node-1' })
  nodeId!: string;

  @ApiProperty({ description: 'URL to connect to', example: 'wss://node-1.example.com/ws' })
  url!: string;
}
