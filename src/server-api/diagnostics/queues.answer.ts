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
  @ApiProperty({ description: 'Sessions for which something waits', example: 3 })
  sessions!: number;

  @ApiProperty({ example: 1_060_012 })
  bytes!: number;

  @ApiProperty({ description: 'Messages or frames', example: 220 })
  messages!: number;

  @ApiProperty({ type: [QueuedSessionAnswer], description: 'Those with the most bytes' })
  top!: readonly QueuedSessionAnswer[];
}

class InboundQueuesAnswer extends SessionQueuesAnswer {
  @ApiProperty({ description: 'Sessions that are not read from, for too much of theirs waits', example: 1 })
  paused!: number;

  @ApiProperty({ description: 'Bytes of messages that are not complete, as of the last second', example: 0 })
  incompleteBytes!: number;
}

class DoorQueuesAnswer {
  @ApiProperty({ description: 'TCP connections that are no session: on their way to one, or of HTTP', example: 12 })
  connections!: number;

  @ApiProperty({ description: 'Upgrades that are being decided', example: 0 })
  upgrades!: number;
}

export class QueuesAnswer {
  @ApiProperty({ description: 'For clients to read' })
  outbound!: SessionQueuesAnswer;

  @ApiProperty({ description: 'From clients, for their handlers' })
  inbound!: InboundQueuesAnswer;

  @ApiProperty()
  door!: DoorQueuesAnswer;

  @ApiProperty({
    ...NUMBERS,
    description: 'Channels that are behind: repairs that wait, run or have failed; channels that nobody needs any more',
    example: { repairsWaiting: 0, repairsRunning: 0, repairsFailed: 0, lingering: 2 },
  })
  channels!: Record<string, number>;

  @ApiPropertyOptional({
    ...NUMBERS,
    description: 'For Redis and other nodes; absent where this node is the only one',
    example: { commands: 3, publications: 0, publicationBytes: 0, words: 0, questions: 0 },
  })
  cluster?: Record<string, number> | undefined;

  @ApiProperty({
    ...NUMBERS,
    description: 'For the disk, or whoever reads standard output',
    example: { logBytes: 0, auditBytes: 0 },
  })
  files!: Record<string, number>;

  @ApiProperty({ description: 'How long the look took', example: 1.4 })
  tookMs!: number;
}
