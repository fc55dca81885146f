import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

const NUMBERS = { type: 'object', additionalProperties: { type: 'number' } } as const;

class QueuedSessionAnswer {
  @ApiProperty({ example: '5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34' })
  sessionId!: string;

  @ApiProperty({ example: 'alice' })
  userId!: string;

  @ApiProperty({ example: 1_048_576 })
  bytes!: number;

  @ApiProperty({ description: 'Messages or frames', example: 214 })
  messages!: number;
}

class SessionQueuesAnswer {
  @ApiProperty({ description: 'Sessions with a queue', example: 3 })
  sessions!: number;

  @ApiProperty({ example: 1_060_012 })
  bytes!: number;

  @ApiProperty({ description: 'Messages or frames', example: 220 })
  messages!: number;

  @ApiProperty({ type: [QueuedSessionAnswer], description: 'Sessions with the most bytes' })
  top!: readonly QueuedSessionAnswer[];
}

class InboundQueuesAnswer extends SessionQueuesAnswer {
  @ApiProperty({
    description: 'Sessions that the server has stopped reading because too many of their messages wait',
    example: 1,
  })
  paused!: number;

  @ApiProperty({ description: 'Bytes of incomplete messages, measured once a second', example: 0 })
  incompleteBytes!: number;
}

class DoorQueuesAnswer {
  @ApiProperty({ description: 'TCP connections without a session: before an upgrade, or plain HTTP', example: 12 })
  connections!: number;

  @ApiProperty({ description: 'Upgrades in progress', example: 0 })
  upgrades!: number;
}

export class QueuesAnswer {
  @ApiProperty({ description: 'Frames that wait for clients' })
  outbound!: SessionQueuesAnswer;

  @ApiProperty({ description: 'Messages of clients that wait for handlers' })
  inbound!: InboundQueuesAnswer;

  @ApiProperty()
  door!: DoorQueuesAnswer;

  @ApiProperty({
    ...NUMBERS,
    description:
      'Channels whose missing publications are being fetched (waiting, running, failed), and channels that will be unsubscribed soon',
    example: { repairsWaiting: 0, repairsRunning: 0, repairsFailed: 0, lingering: 2 },
  })
  channels!: Record<string, number>;

  @ApiPropertyOptional({
    ...NUMBERS,
    description: 'Waiting for Redis and other nodes; absent on a single node',
    example: { commands: 3, publications: 0, publicationBytes: 0, words: 0, questions: 0 },
  })
  cluster?: Record<string, number> | undefined;

  @ApiProperty({
    ...NUMBERS,
    description: 'Waiting for the disk or standard output',
    example: { logBytes: 0, auditBytes: 0 },
  })
  files!: Record<string, number>;

  @ApiProperty({ description: 'Time that the measurement took', example: 1.4 })
  tookMs!: number;
}
