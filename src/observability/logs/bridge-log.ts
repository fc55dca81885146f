import { Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { BridgeEvents } from '../../bridges/bridge-events.js';
import { Logs } from './logs.js';

/** Writes what keeps messages of brokers from being published. */
@Injectable()
export class BridgeLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @Optional() private readonly events?: BridgeEvents,
  ) {}

  onModuleInit(): void {
    const { logs, events } = this;
    events?.on('connected', (broker, isConnected) => {
      if (isConnected) logs.write('bridge_connected', () => ({ broker }));
    });
    events?.on('failed', (bridge, reason) => logs.write('bridge_failed', () => ({ bridge, reason })));
    events?.on('left', (destination, outcome, detail) => {
      if (outcome === 'dropped' || outcome === 'refused') {
        logs.write('bridge_publication_lost', () => ({ destination, reason: outcome, detail }));
      }
    });
    events?.on('refused', (bridge, { place, reason }) =>
      logs.write('bridge_message_refused', () => ({ bridge, place, reason })),
    );
  }
}
