import { Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { HookEvents } from '../../hooks/hook-events.js';
import { Logs } from './logs.js';

/** Writes why back ends could not be asked or told. */
@Injectable()
export class HookLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @Optional() private readonly events?: HookEvents,
  ) {}

  onModuleInit(): void {
    const { logs, events } = this;
    events?.on('failed', (hook, { endpoint, reason, message }) =>
      logs.write('back_end_failed', () => ({ hook, endpoint, reason, detail: message })),
    );
    events?.on('dropped', (count, reason) => logs.write('hook_events_dropped', () => ({ events: count, reason })));
  }
}
