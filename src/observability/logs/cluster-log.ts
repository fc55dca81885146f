import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { EngineLink } from '../../cluster/ports/engine-link.js';
import { Logs } from './logs.js';

/** Reasons of one outage that are logged. They contain addresses, and a cluster has many. */
const MAX_REASONS = 10;

/**
 * Logs one line when Redis becomes unreachable, one for each reason, and one when it is back; likewise for each reason
 * to refuse commands, and for the primary of a worker.
 */
@Injectable()
export class ClusterLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @Inject(EngineLink) private readonly link: EngineLink | undefined,
  ) {}

  onModuleInit(): void {
    const { link } = this;
    if (link?.engine === 'redis') this.followRedis(link);
    else if (link !== undefined) this.followPrimary(link);
  }

  private followPrimary(link: EngineLink): void {
    const { logs } = this;
    const gone = (reason: string): void => logs.write('primary_gone', () => ({ reason }));
    if (!link.isUp) gone('no answer at the start');
    link.on('down', gone);
    link.on('up', () => logs.write('primary_back', () => ({})));
  }

  private followRedis(link: EngineLink): void {
    const { logs } = this;
    const gone = (reason: string): void => logs.write('redis_gone', () => ({ reason }));
    // The start has already waited for it.
    if (!link.isUp) gone('no answer at the start');
    link.on('down', gone);
    // It may have begun before there was a listener.
    for (const fault of link.faults) logs.write('redis_refuses', () => ({ fault, reason: 'at the start' }));
    link.on('refuses', (fault, reason) => logs.write('redis_refuses', () => ({ fault, reason })));
    link.on('accepts', (fault) => logs.write('redis_accepts', () => ({ fault })));
    const told = new Set<string>();
    link.on('failed', (reason) => {
      if (link.isUp || told.has(reason) || told.size >= MAX_REASONS) return;
      told.add(reason);
      logs.write('redis_unreachable', () => ({ reason }));
    });
    link.on('up', () => {
      told.clear();
      logs.write('redis_back', () => ({}));
    });
  }
}
