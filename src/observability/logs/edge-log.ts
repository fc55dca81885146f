import { Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { EdgeLosses } from '../../edge/centre/edge-losses.js';
import { EdgeEvents } from '../../edge/edge-events.js';
import { Logs } from './logs.js';

/** Writes what keeps messages from the centre. */
@Injectable()
export class EdgeLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @Optional() private readonly events?: EdgeEvents,
    @Optional() private readonly losses?: EdgeLosses,
  ) {}

  onModuleInit(): void {
    const { logs, events } = this;
    events?.on('upstream', (state, detail) => {
      if (state === 'up') logs.write('edge_upstream_up', () => ({}));
      else logs.write('edge_upstream_down', () => ({ state, reason: detail }));
    });
    events?.on('fault', (fault, detail) => logs.write('edge_store_fault', () => ({ fault, detail })));
    events?.on('refused', (rule, _channel, code) => logs.write('edge_message_refused', () => ({ code, rule })));
    events?.on('mirror_refused', (reason) => logs.write('edge_mirror_refused', () => ({ reason })));
    events?.on('order_unreadable', () => logs.write('edge_order_unreadable', () => ({})));
    this.losses?.on('lost', (loss) => logs.write('edge_losses_told', () => ({ ...loss })));
    events?.on('settled', (outcome, rule, messages) => {
      if (LOST.includes(outcome)) logs.write('edge_messages_lost', () => ({ outcome, rule, messages }));
    });
  }
}

const LOST: readonly string[] = ['dropped', 'expired', 'damaged'];
