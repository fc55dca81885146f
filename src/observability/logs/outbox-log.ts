import { Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { OutboxEvents } from '../../outbox/outbox-events.js';
import { Logs } from './logs.js';

/** Writes what keeps rows of the outbox from being published. */
@Injectable()
export class OutboxLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @Optional() private readonly events?: OutboxEvents,
  ) {}

  onModuleInit(): void {
    const { logs, events } = this;
    events?.on('reading', (isReading) => {
      if (isReading) logs.write('outbox_reading', () => ({}));
    });
    events?.on('failed', (reason) => logs.write('outbox_failed', () => ({ reason })));
    events?.on('refused', (row, reason) => logs.write('outbox_row_refused', () => ({ row, reason })));
    events?.on('blocked', ({ pid, application, seconds }) =>
      logs.write('outbox_blocked', () => ({ pid, application, seconds: Math.round(seconds) })),
    );
  }
}
