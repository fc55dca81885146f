import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { keepLedgers } from '../../config/namespaces.js';
import type { Settings } from '../../config/settings.js';
import { Arrivals } from './arrivals.js';
import type { ConnectionContext } from './connection.js';
import { ControlRate } from './control-rate.js';
import { FlushTurn } from './flush-turn.js';
import { Heartbeat } from './heartbeat.js';
import { OutboundBudget } from './outbound-budget.js';
import { OUTBOUND_CONTEXT, OutboundQueue } from './outbound-queue.js';
import { ReceiptedQueue } from './receipted-queue.js';

type SocketSettings = Pick<Settings, 'heartbeat' | 'inbound' | 'outbound' | 'channels'>;

@Module({})
export class SocketModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly heartbeat: Heartbeat,
    private readonly arrivals: Arrivals,
  ) {}

  static register({ heartbeat, inbound, outbound, channels }: SocketSettings): DynamicModule {
    const context: ConnectionContext = {
      turn: new FlushTurn(),
      budget: new OutboundBudget(outbound.budgetBytes),
      limitBytes: outbound.queueBytes,
      controlRate: new ControlRate(inbound.controlFrameRate),
      Queue: keepLedgers(channels.namespaces) ? ReceiptedQueue : OutboundQueue,
    };
    return {
      module: SocketModule,
      providers: [
        { provide: OUTBOUND_CONTEXT, useValue: context },
        { provide: Heartbeat, useValue: new Heartbeat(heartbeat) },
        { provide: Arrivals, useValue: new Arrivals(inbound) },
      ],
      exports: [OUTBOUND_CONTEXT, Heartbeat, Arrivals],
    };
  }

  onModuleInit(): void {
    this.heartbeat.start();
    this.arrivals.start();
  }

  onApplicationShutdown(): void {
    this.heartbeat.stop();
    this.arrivals.stop();
  }
}
