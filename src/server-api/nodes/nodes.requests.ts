import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import type { NodeLoad, NodeReport } from '../../cluster/ports/node-registry.js';
import { NodeId } from './node-id.js';

export class NodeLoadAnswer implements NodeLoad {
  @ApiProperty({ example: 1_204 })
  sessions!: number;

  @ApiProperty({ description: 'How many it takes at most; 0: no limit', example: 50_000 })
  maxSessions!: number;

  @ApiProperty({ example: 1.2 })
  eventLoopLagMs!: number;

  @ApiProperty({ description: 'Bytes that wait for slow readers', example: 0 })
  bufferedBytes!: number;

  @ApiProperty({ description: 'Share of one processor, 0 to 1 and beyond', example: 0.31 })
  processor!: number;
}

export class NodeAnswer implements NodeReport {
  @ApiProperty({ description: 'SERVER_ID', example: 'node-1' })
  nodeId!: string;

  @ApiProperty({ description: 'Of this start alone', example: 'qV7m2LxT' })
  incarnation!: string;

  @ApiProperty({ description: 'Of its WebSocket endpoint', example: 'wss://node-1.example.com/ws' })
  url!: string;

  @ApiProperty({ example: '0.1.0' })
  version!: string;

  @ApiProperty({ description: 'Milliseconds since 1970', example: 1_795_363_200_000 })
  startedAt!: number;

  @ApiProperty({ description: 'Whether it takes connections: not while it starts, drains or is overloaded' })
  isReady!: boolean;

  @ApiProperty()
  load!: NodeLoadAnswer;
}

export class NodesAnswer {
  @ApiProperty({ type: [NodeAnswer], description: 'As of the last second' })
  nodes!: readonly NodeAnswer[];
}

export class DrainRequest {
  @ApiPropertyOptional({ description: 'SERVER_ID of the node; absent: the one that answers', example: 'node-2' })
  @IsOptional()
  @NodeId()
  nodeId?: string;
}

export class DrainAnswer {
  @ApiProperty({ example: 'node-2' })
  nodeId!: string;

  @ApiProperty({ description: 'Sessions that were open when it began', example: 1_204 })
  sessions!: number;

  @ApiProperty({ description: 'Sessions that are still open', example: 1_204 })
  remaining!: number;

  @ApiProperty({
    description: 'Clients are told to reconnect at a random moment within so many milliseconds',
    example: 5_000,
  })
  reconnectWindowMs!: number;

  @ApiProperty({ description: 'When it began, in milliseconds since 1970', example: 1_795_363_200_000 })
  startedAt!: number;
}

export class RouteAnswer {
  @ApiProperty({ example: 'node-1' })
  nodeId!: string;

  @ApiProperty({ description: 'Where to connect', example: 'wss://node-1.example.com/ws' })
  url!: string;
}
