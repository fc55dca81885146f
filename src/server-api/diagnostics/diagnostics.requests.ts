import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { NodeId } from '../nodes/node-id.js';
import { WholeNumber } from '../http/query-values.js';

const MAX_LISTED = 100;
const MAX_SECONDS = 60;
const DESCRIPTION = 'SERVER_ID of the node; any other node answers 421. Absent: the node that gets the request';

export class NodeQuery {
  @ApiPropertyOptional({ description: DESCRIPTION, example: 'node-1' })
  @IsOptional()
  @NodeId()
  nodeId?: string;
}

export class ListQuery extends NodeQuery {
  @ApiPropertyOptional({
    description: 'Number of entries of each kind',
    type: 'integer',
    default: 20,
    maximum: MAX_LISTED,
  })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_LISTED)
  limit?: number;
}

export class HeapSnapshotRequest {
  @ApiPropertyOptional({ description: DESCRIPTION, example: 'node-1' })
  @IsOptional()
  @NodeId()
  nodeId?: string;
}

export class ProfileRequest extends HeapSnapshotRequest {
  @ApiPropertyOptional({ type: 'integer', default: 10, minimum: 1, maximum: MAX_SECONDS })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_SECONDS)
  seconds?: number;
}
