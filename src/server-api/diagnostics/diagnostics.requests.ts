import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { NodeId } from '../nodes/node-id.js';
import { WholeNumber } from '../http/query-values.js';

const MAX_LISTED = 100;
const MAX_SECONDS = 60;

export class NodeQuery {
  /**
   * SERVER_ID of the node; any other node answers 421. Absent: the node that gets the request
   * @example node-1
   */
  @ApiProperty()
  @IsOptional()
  @NodeId()
  nodeId?: string;
}

export class ListQuery extends NodeQuery {
  /** Number of entries of each kind */
  @ApiProperty({ type: 'integer', default: 20 })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_LISTED)
  limit?: number;
}

export class HeapSnapshotRequest extends NodeQuery {}

export class ProfileRequest extends HeapSnapshotRequest {
  @ApiProperty({ type: 'integer', default: 10 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_SECONDS)
  seconds?: number;
}
