import { ApiProperty } from '@nestjs/swagger';

class QueuedSessionAnswer {
  /** @example 5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34 */
  sessionId!: string;

  /** @example alice */
  userId!: string;

  /** @example 1048576 */
  bytes!: number;

  /** Messages or frames @example 214 */
  messages!: number;
}

class SessionQueuesAnswer {
  /** Sessions with a queue @example 3 */
  sessions!: number;

  /** @example 1060012 */
  bytes!: number;

  /** Messages or frames @example 220 */
  messages!: number;

  /** Sessions with the most bytes */
  top!: QueuedSessionAnswer[];
}

class InboundQueuesAnswer extends SessionQueuesAnswer {
  /** Sessions that the server has stopped reading because too many of their messages wait @example 1 */
  paused!: number;

  /** Bytes of incomplete messages, measured once a second @example 0 */
  incompleteBytes!: number;
}

class DoorQueuesAnswer {
  /** TCP connections without a session: before an upgrade, or plain HTTP @example 12 */
  connections!: number;

  /** Upgrades in progress @example 0 */
  upgrades!: number;
}

export class QueuesAnswer {
  /** Frames that wait for clients */
  outbound!: SessionQueuesAnswer;

  /** Messages of clients that wait for handlers */
  inbound!: InboundQueuesAnswer;

  door!: DoorQueuesAnswer;

  /**
   * Channels whose missing publications are being fetched (waiting, running, failed), and channels that will be
   * unsubscribed soon
   * @example {"repairsWaiting": 0, "repairsRunning": 0, "repairsFailed": 0, "lingering": 2}
   */
  channels!: Record<string, number>;

  /**
   * Waiting for Redis and other nodes; absent on a single node
   * @example {"commands": 3, "publications": 0, "publicationBytes": 0, "words": 0, "questions": 0}
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' } })
  cluster?: Record<string, number> | undefined;

  /** Waiting for the disk or standard output @example {"logBytes": 0, "auditBytes": 0} */
  files!: Record<string, number>;

  /** Time that the measurement took @example 1.4 */
  tookMs!: number;
}
