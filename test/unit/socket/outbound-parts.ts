import { Compression } from '../../../src/socket/compression.js';
import { FlushTurn } from '../../../src/socket/flush-turn.js';
import { HeldFrames } from '../../../src/socket/held-frames.js';
import { OutboundBudget } from '../../../src/socket/outbound-budget.js';
import type { OutboundContext } from '../../../src/socket/outbound-context.js';
import { PriorityCounts } from '../../../src/socket/prioritized-frames.js';

/** What all queues of a node share, with the parts that a test is about. */
export function outboundParts(parts: Partial<OutboundContext> = {}): OutboundContext {
  return {
    turn: new FlushTurn(),
    budget: new OutboundBudget(0),
    compression: new Compression({ messagesFromBytes: 0, listsFromBytes: 0, maxProcessorPercent: 0 }),
    priorities: new PriorityCounts(),
    newHeldFrames: () => new HeldFrames(),
    limitBytes: 1_000,
    ...parts,
  };
}
