import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Settings } from '../../config/settings.js';
import { FlushTurn } from './flush-turn.js';
import { Heartbeat } from './heartbeat.js';
import { OutboundBudget } from './outbound-budget.js';
import { OUTBOUND_CONTEXT, type OutboundContext } from './outbound-queue.js';

type SocketSettings = Pick<Settings, 'heartbeat' | 'outbound'>;

@Module({})
export class SocketModule implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly heartbeat: Heartbeat) {}

  static register({ heartbeat, outbound }: SocketSettings): DynamicModule {
    const context: OutboundContext = {
      turn: new FlushTurn(),
      budget: new OutboundBudget(outbound.budgetBytes),
      limitBytes: outbound.queueBytes,
    };
    return {
      module: SocketModule,
      providers: [
        { provide: OUTBOUND_CONTEXT, useValue: context },
        { provide: Heartbeat, useValue: new Heartbeat(heartbeat) },
      ],
      exports: [OUTBOUND_CONTEXT, Heartbeat],
    };
  }

  onModuleInit(): void {
    this.heartbeat.start();
  }

  onApplicationShutdown(): void {
    this.heartbeat.stop();
  }
}
