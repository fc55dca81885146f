import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PHASES, type Phase } from '../../lifecycle/server-state.js';

const NUMBERS = { type: 'object', additionalProperties: { type: 'number' } } as const;

class DistributionAnswer {
  @ApiProperty({ example: 0.4 })
  p50!: number;

  @ApiProperty({ example: 3.1 })
  p99!: number;

  @ApiProperty({ example: 12.7 })
  max!: number;
}

class EventLoopAnswer {
  @ApiProperty({ description: 'Milliseconds, over the half-second samples of the last 30 s', type: DistributionAnswer })
  lagMs!: DistributionAnswer;

  @ApiProperty({ description: 'Share of the last half second in which the event loop was busy', example: 0.31 })
  utilization!: number;
}

class ProcessorAnswer {
  @ApiProperty({ description: 'Share of one core; more than 1 if several cores are busy', example: 0.31 })
  share!: number;

  @ApiProperty({ description: 'Since the start', example: 81_204 })
  userMs!: number;

  @ApiProperty({ description: 'Since the start', example: 20_511 })
  systemMs!: number;
}

class GarbageAnswer {
  @ApiProperty({ enum: ['minor', 'incremental', 'major', 'weakcb'] })
  kind!: string;

  @ApiProperty({ description: 'Since the start', example: 214 })
  count!: number;

  @ApiProperty({ description: 'Since the start', example: 612 })
  totalMs!: number;
}

class SpaceAnswer {
  @ApiProperty({ example: 'old_space' })
  name!: string;

  @ApiProperty({ example: 61_341_696 })
  usedBytes!: number;

  @ApiProperty({ example: 66_109_440 })
  sizeBytes!: number;
}

class SessionTotalsAnswer {
  @ApiProperty({ example: 1_204 })
  open!: number;

  @ApiProperty({ description: 'Bytes that wait for slow readers', example: 0 })
  queuedBytes!: number;

  @ApiProperty({ description: 'Number of slow readers', example: 0 })
  slowReaders!: number;
}

export class SummaryAnswer {
  @ApiProperty({ description: 'SERVER_ID', example: 'node-1' })
  nodeId!: string;

  @ApiProperty({ example: '0.1.0' })
  version!: string;

  @ApiProperty({ example: 'v20.20.2' })
  nodeVersion!: string;

  @ApiProperty({ example: 17 })
  pid!: number;

  @ApiProperty({ example: 86_400_000 })
  uptimeMs!: number;

  @ApiProperty({ enum: PHASES })
  state!: Phase;

  @ApiPropertyOptional({ description: 'The resource that is overloaded; absent if none is', example: 'heap' })
  overloadedBy?: string | undefined;

  @ApiProperty()
  sessions!: SessionTotalsAnswer;

  @ApiProperty()
  processor!: ProcessorAnswer;

  @ApiProperty()
  eventLoop!: EventLoopAnswer;

  @ApiProperty({
    ...NUMBERS,
    description: 'Memory of the process and of the V8 heap, and what the system or container has left',
    example: { rssBytes: 182_452_224, heapUsedBytes: 61_341_696, heapLimitBytes: 4_345_298_944 },
  })
  memory!: Record<string, number>;

  @ApiProperty({ type: [SpaceAnswer], description: 'Heap spaces, largest first' })
  heapSpaces!: readonly SpaceAnswer[];

  @ApiProperty({ type: [GarbageAnswer], description: 'Since the start, by kind' })
  garbageCollections!: readonly GarbageAnswer[];

  @ApiProperty({
    ...NUMBERS,
    description: 'Resources that keep the process alive, by kind',
    example: { TCPSocketWrap: 1_206, TCPServerWrap: 2, Timeout: 9 },
  })
  resources!: Record<string, number>;
}

class HandlerAnswer {
  @ApiProperty({ description: 'Message type', example: 'send_message' })
  type!: string;

  @ApiProperty({ example: 10_482 })
  count!: number;

  @ApiProperty({ example: 1.2 })
  meanMs!: number;

  @ApiProperty({ description: 'Estimated from the buckets of the metric', example: 0.9 })
  p50Ms!: number;

  @ApiProperty({ description: 'Estimated from the buckets of the metric', example: 8.2 })
  p99Ms!: number;

  @ApiProperty({ example: 412.6 })
  maxMs!: number;
}

class SlowCallAnswer {
  @ApiProperty({ description: 'Message type', example: 'send_message' })
  type!: string;

  @ApiProperty({ example: 412.6 })
  ms!: number;

  @ApiProperty({ description: 'Time of the reply, in milliseconds since 1970', example: 1_795_363_200_000 })
  at!: number;

  @ApiProperty({ example: '5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34' })
  sessionId!: string;

  @ApiProperty({ description: '`ok` or an error code', example: 'ok' })
  outcome!: string;
}

class RunningCallAnswer {
  @ApiProperty({ description: 'Message type', example: 'send_message' })
  type!: string;

  @ApiProperty({ description: 'The method that handles it', example: 'DirectGateway.send' })
  handler!: string;

  @ApiProperty({ example: 4_120.3 })
  ms!: number;

  @ApiProperty({ example: '5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34' })
  sessionId!: string;
}

export class HandlersAnswer {
  @ApiProperty({ type: [HandlerAnswer], description: 'Since the start, from arrival to reply, slowest first' })
  handlers!: readonly HandlerAnswer[];

  @ApiProperty({ type: [SlowCallAnswer], description: 'In the last five to ten minutes, slowest first' })
  slowest!: readonly SlowCallAnswer[];

  @ApiProperty({ type: [RunningCallAnswer], description: 'Running handlers, oldest first' })
  running!: readonly RunningCallAnswer[];

  @ApiPropertyOptional({
    description: 'Number of running handlers; absent if HANDLER_TIMEOUT_MS is 0, because they are not tracked then',
  })
  runningTotal?: number | undefined;
}
