import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { REDIS_LINK } from '../cluster/cluster.module.js';
import type { RedisLink } from '../cluster/redis-link.js';
import { BurstGuard } from './burst-guard.js';
import { LOGGER } from './connection-log.js';

/** One line when Redis goes, and one when it comes back. */
@Injectable()
export class ClusterLog implements OnModuleInit {
  private readonly guard = new BurstGuard();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(REDIS_LINK) private readonly link: RedisLink | undefined,
  ) {}

  onModuleInit(): void {
    const { link } = this;
    if (link === undefined) return;
    // At the start it has been waited for already.
    if (!link.isUp) this.gone('no answer at the start');
    link.on('down', (reason) => this.gone(reason));
    link.on('up', () => this.back());
  }

  private gone(reason: string): void {
    this.guard.write('down', (leftOut) =>
      this.logger.warn({ reason, ...counted(leftOut) }, 'Redis is gone: this node serves its own clients'),
    );
  }

  private back(): void {
    this.guard.write('up', (leftOut) => this.logger.info(counted(leftOut), 'Redis is back'));
  }
}

function counted(leftOut: number): { leftOut?: number } {
  return leftOut > 0 ? { leftOut } : {};
}
