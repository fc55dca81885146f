import { ApiProperty } from '@nestjs/swagger';
import type { Phase } from '../../lifecycle/server-state.js';

class DistributionAnswer {
  /** @example 0.4 */
  p50!: number;

  /** @example 3.1 */
  p99!: number;

  /** @example 12.7 */
  max!: number;
}

class EventLoopAnswer {
  /** Milliseconds, over the half-second samples of the last 30 s */
  lagMs!: DistributionAnswer;

  /** Share of the last half second in which the event loop was busy @example 0.31 */
  utilization!: number;
}

class ProcessorAnswer {
  /** Share of one core; more than 1 if several cores are busy @example 0.31 */
  share!: number;

  /** Since the start @example 81204 */
  userMs!: number;

  /** Since the start @example 20511 */
  systemMs!: number;
}

class GarbageAnswer {
  @ApiProperty({ enum: ['minor', 'incremental', 'major', 'weakcb'] })
  kind!: string;

  /** Since the start @example 214 */
  count!: number;

  /** Since the start @example 612 */
  totalMs!: number;
}

class SpaceAnswer {
  /** @example old_space */
  name!: string;

  /** @example 61341696 */
  usedBytes!: number;

  /** @example 66109440 */
  sizeBytes!: number;
}

class SessionTotalsAnswer {
  /** @example 1204 */
  open!: number;

  /** Bytes that wait for slow readers @example 0 */
  queuedBytes!: number;

  /** Number of slow readers @example 0 */
  slowReaders!: number;
}

class CompressionAnswer {
  /** `paused`: the process is above COMPRESS_MAX_PROCESSOR_PERCENT. `off`: compression is not offered */
  @ApiProperty({ enum: ['on', 'paused', 'off'] })
  state!: 'on' | 'paused' | 'off';

  /** COMPRESS_FROM_BYTES @example 0 */
  messagesFromBytes!: number;

  /** COMPRESS_BATCHES_FROM_BYTES @example 512 */
  listsFromBytes!: number;

  /**
   * Frames that were long enough, each once for all its receivers: compressed, sent as they were because they do not
   * shrink by a tenth, or because the process was busy
   * @example {"compressed": 5120, "incompressible": 3, "busy": 0}
   */
  frames!: Record<string, number>;

  /** Bytes of the compressed frames before compression @example 8388608 */
  bytesBefore!: number;

  /** The same afterwards @example 1258291 */
  bytesAfter!: number;
}

export class SummaryAnswer {
  /** SERVER_ID @example node-1 */
  nodeId!: string;

  /** @example 0.1.0 */
  version!: string;

  /** @example v20.20.2 */
  nodeVersion!: string;

  /** @example 17 */
  pid!: number;

  /** @example 86400000 */
  uptimeMs!: number;

  state!: Phase;

  /** The resource that is overloaded; absent if none is @example heap */
  overloadedBy?: string | undefined;

  sessions!: SessionTotalsAnswer;

  processor!: ProcessorAnswer;

  eventLoop!: EventLoopAnswer;

  compression!: CompressionAnswer;

  /**
   * Memory of the process and of the V8 heap, and what the system or container has left
   * @example {"rssBytes": 182452224, "heapUsedBytes": 61341696, "heapLimitBytes": 4345298944}
   */
  memory!: Record<string, number>;

  /** Heap spaces, largest first */
  heapSpaces!: SpaceAnswer[];

  /** Since the start, by kind */
  garbageCollections!: GarbageAnswer[];

  /**
   * Resources that keep the process alive, by kind
   * @example {"TCPSocketWrap": 1206, "TCPServerWrap": 2, "Timeout": 9}
   */
  resources!: Record<string, number>;
}

class HandlerAnswer {
  /** Message type @example send_message */
  type!: string;

  /** @example 10482 */
  count!: number;

  /** @example 1.2 */
  meanMs!: number;

  /** Estimated from the buckets of the metric @example 0.9 */
  p50Ms!: number;

  /** Estimated from the buckets of the metric @example 8.2 */
  p99Ms!: number;

  /** @example 412.6 */
  maxMs!: number;
}

class SlowCallAnswer {
  /** Message type @example send_message */
  type!: string;

  /** @example 412.6 */
  ms!: number;

  /** Time of the reply, in milliseconds since 1970 @example 1795363200000 */
  at!: number;

  /** @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  sessionId!: string;

  /** `ok` or an error code @example ok */
  outcome!: string;
}

class RunningCallAnswer {
  /** Message type @example send_message */
  type!: string;

  /** The method that handles it @example DirectGateway.send */
  handler!: string;

  /** @example 4120.3 */
  ms!: number;

  /** @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  sessionId!: string;
}

export class HandlersAnswer {
  /** Since the start, from arrival to reply, slowest first */
  handlers!: HandlerAnswer[];

  /** In the last five to ten minutes, slowest first */
  slowest!: SlowCallAnswer[];

  /** Running handlers, oldest first */
  running!: RunningCallAnswer[];

  /** Number of running handlers; absent if HANDLER_TIMEOUT_MS is 0, because they are not tracked then */
  runningTotal?: number | undefined;
}
