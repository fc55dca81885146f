import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DispatchEvents } from '../../dispatch/dispatch-events.js';
import { SessionEvents } from '../../sessions/session-events.js';
import { BucketTally, Distribution, Tally } from './tally.js';

const SECONDS_OF_HANDLERS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const SIZES = [64, 256, 1_024, 4_096, 16_384, 65_536, 1_048_576, 10_485_760];

/** Counts of every message. */
@Injectable()
export class MessageTallies implements OnModuleInit {
  readonly received = new Tally(['unknown']);
  readonly sent = new Tally();
  readonly processingTime = new BucketTally(SECONDS_OF_HANDLERS);
  /** A message to many clients counts once per encoding. */
  readonly size = { in: new Distribution(SIZES), out: new Distribution(SIZES) };
  bytesReceived = 0;
  errors = 0;

  constructor(
    private readonly sessions: SessionEvents,
    private readonly messages: DispatchEvents,
  ) {}

  onModuleInit(): void {
    this.messages.on('received', (type, bytes) => {
      this.received.add(type);
      this.bytesReceived += bytes;
      this.size.in.observe(bytes);
    });
    this.messages.on('handled', (type, milliseconds) => this.processingTime.observe(type, milliseconds / 1_000));
    this.messages.on('failed', () => (this.errors += 1));
    this.sessions.on('sent', (type, bytes, sessions) => {
      this.sent.add(type, sessions);
      this.size.out.observe(bytes);
    });
  }
}
