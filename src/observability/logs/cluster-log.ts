import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { EngineLink } from '../../cluster/ports/engine-link.js';
import { Logs } from './logs.js';

/** Of one absence: addresses stand in them, and those of a cluster are many. */
const MAX_REASONS = 10;

/** One line when Redis goes, one for each reason why it cannot be reached, and one when it comes back. The same for each reason to refuse commands. */
@Injectable()
export class ClusterLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @Inject(EngineLink) private readonly link: EngineLink | undefined,
  ) {}

  onModuleInit(): void {
    const { link, logs } = this;
    if (link === undefined) return;
    const gone = (reason: string): void => logs.write('redis_gone', () => ({ reason }));
    // At the start it has been waited for already.
    if (!link.isUp) gone('no answer at the start');
    link.on('down', gone);
    // It may have begun before anybody listened.
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
