import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { havePriorities, keepLedgers } from '../../config/namespaces.js';
import { Settings } from '../../config/settings.js';
import { Compression } from './compression.js';
import { InboundBudget } from './inbound-budget.js';
import { ConnectionContext } from './connection-context.js';
import { ControlRate } from './control-rate.js';
import { FlushTurn } from './flush-turn.js';
import { Heartbeat } from './heartbeat.js';
import { HeldFrames } from './held-frames.js';
import { OutboundBudget } from './outbound-budget.js';
import { OutboundContext } from './outbound-context.js';
import { OutboundQueue } from './outbound-queue.js';
import { PrioritizedFrames, PriorityCounts } from './prioritized-frames.js';
import { ReceiptedQueue } from './receipted-queue.js';

@Module({
  providers: [
    { provide: ConnectionContext, inject: [Settings], useFactory: connectionContext },
    { provide: OutboundContext, useExisting: ConnectionContext },
    { provide: Heartbeat, inject: [Settings], useFactory: ({ heartbeat }: Settings) => new Heartbeat(heartbeat) },
    { provide: InboundBudget, inject: [Settings], useFactory: ({ inbound }: Settings) => new InboundBudget(inbound) },
  ],
  exports: [ConnectionContext, OutboundContext, Heartbeat, InboundBudget],
})
export class SocketModule implements OnApplicationShutdown {
  constructor(
    private readonly heartbeat: Heartbeat,
    private readonly inboundBudget: InboundBudget,
  ) {}

  onApplicationShutdown(): void {
    this.heartbeat.stop();
    this.inboundBudget.stop();
  }
}

function connectionContext({ inbound, outbound, channels, messages }: Settings): ConnectionContext {
  const priorities = new PriorityCounts();
  return {
    turn: new FlushTurn(),
    budget: new OutboundBudget(outbound.budgetBytes),
    compression: new Compression({
      messagesFromBytes: messages.compressFromBytes,
      listsFromBytes: messages.compressBatchesFromBytes,
      maxProcessorPercent: messages.compressMaxProcessorPercent,
    }),
    priorities,
    newHeldFrames: havePriorities(channels.namespaces)
      ? () => new PrioritizedFrames(priorities)
      : () => new HeldFrames(),
    limitBytes: outbound.queueBytes,
    controlRate: new ControlRate(inbound.controlFrameRate),
    Queue: keepLedgers(channels.namespaces) ? ReceiptedQueue : OutboundQueue,
  };
}
