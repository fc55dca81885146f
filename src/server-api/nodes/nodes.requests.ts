import { ApiProperty } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import type { NodeLoad, NodeReport } from '../../cluster/ports/node-registry.js';
import { NodeId } from './node-id.js';

export class NodeLoadAnswer implements NodeLoad {
  /** @example 1204 */
  sessions!: number;

  /** Maximum number of sessions; 0 means no limit @example 50000 */
  maxSessions!: number;

  /** @example 1.2 */
  eventLoopLagMs!: number;

  /** Bytes that wait for slow readers @example 0 */
  bufferedBytes!: number;

  /** Share of one core; more than 1 if several cores are busy @example 0.31 */
  processor!: number;
}

export class NodeAnswer implements NodeReport {
  /** SERVER_ID @example node-1 */
  nodeId!: string;

  /** Changes with every start of the process @example qV7m2LxT */
  incarnation!: string;

  /** URL of its WebSocket endpoint @example wss://node-1.example.com/ws */
  url!: string;

  /** @example 0.1.0 */
  version!: string;

  /** Milliseconds since 1970 @example 1795363200000 */
  startedAt!: number;

  /** Whether it accepts connections: false while it starts, drains or is overloaded */
  isReady!: boolean;

  load!: NodeLoadAnswer;
}

export class NodesAnswer {
  /** Measured once a second */
  @ApiProperty({ type: [NodeAnswer] })
  nodes!: readonly NodeAnswer[];
}

export class DrainRequest {
  /** SERVER_ID of the node. Absent: the node that gets the request @example node-2 */
  @IsOptional()
  @NodeId()
  nodeId?: string;
}

export class DrainAnswer {
  /** @example node-2 */
  nodeId!: string;

  /** Sessions that were open when the drain began @example 1204 */
  sessions!: number;

  /** Sessions that are still open @example 1204 */
  remaining!: number;

  /** Milliseconds within which clients reconnect, each at a random moment @example 5000 */
  reconnectWindowMs!: number;

  /** Start of the drain, in milliseconds since 1970 @example 1795363200000 */
  startedAt!: number;
}

export class RouteAnswer {
  /** @example node-1 */
  nodeId!: string;

  /** URL to connect to @example wss://node-1.example.com/ws */
  url!: string;
}
