import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { REDIS_LINK } from '../../cluster/cluster.module.js';
import type { RedisLink } from '../../cluster/redis-link.js';
import { Logs } from './logs.js';

/** One line when Redis goes, and one when it comes back. */
@Injectable()
export class ClusterLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @Inject(REDIS_LINK) private readonly link: RedisLink | undefined,
  ) {}

  onModuleInit(): void {
    const { link, logs } = this;
    if (link === undefined) return;
    const gone = (reason: string): void => logs.write('redis_gone', () => ({ reason }));
    // At the start it has been waited for already.
    if (!link.isUp) gone('no answer at the start');
    link.on('down', gone);
    link.on('up', () => logs.write('redis_back', () => ({})));
  }
}
