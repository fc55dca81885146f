import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { EventEmitter } from 'node:events';
import { OutboundContext } from '../socket/outbound-context.js';
import { heapUse } from './heap.js';
import type { LifecycleSettings } from './lifecycle-settings.js';
import { LoadMeter } from './load-meter.js';
import { OverloadWatch, type OverloadSign, type Reading } from './overload-watch.js';

interface OverloadEvents {
  /** The node has become overloaded, or is no longer. */
  changed: [];
}

/** Detects whether this node is overloaded. An overloaded node serves its clients and refuses new ones. */
@Injectable()
export class Overload extends EventEmitter<OverloadEvents> implements OnModuleInit, OnApplicationShutdown {
  private readonly watch = new OverloadWatch();
  private readonly logger = new Logger('Overload');

  constructor(
    @Inject(Settings) private readonly settings: LifecycleSettings,
    private readonly outbound: OutboundContext,
    private readonly meter: LoadMeter,
  ) {
    super();
  }

  /** The overloaded resource; undefined if none is. */
  get sign(): OverloadSign | undefined {
    return this.watch.sign;
  }

  onModuleInit(): void {
    this.meter.on('measured', () => this.judge());
  }

  onApplicationShutdown(): void {
    this.removeAllListeners();
  }

  private judge(): void {
    const before = this.sign;
    const over = this.watch.take(this.readings(), performance.now());
    if ((before === undefined) === (this.sign === undefined)) return;
    // At most two lines in the time that a node needs to become normal again.
    if (over) this.logger.warn({ msg: 'overloaded: refusing upgrades', ...over });
    else this.logger.log('no longer overloaded: accepting upgrades');
    this.emit('changed');
  }

  private readings(): Reading[] {
    const { overload, outbound } = this.settings;
    const bufferedLimit = Math.floor((outbound.budgetBytes * overload.bufferedPercent) / 100);
    return [
      { sign: 'event_loop_lag', value: this.meter.lagMs, limit: overload.eventLoopLagMs },
      { sign: 'buffered', value: this.outbound.budget.waiting, limit: bufferedLimit },
      { sign: 'heap', value: heapUse().percent, limit: overload.heapPercent },
    ];
  }
}
