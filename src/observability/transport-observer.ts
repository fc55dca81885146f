import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import { TransportEvents } from '../transport/transport-events.js';
import { BurstGuard } from './burst-guard.js';
import { LOGGER } from './connection-log.js';
import { METRIC } from './metrics.js';

const DAY_MS = 86_400_000;

/** Counts what fails at the doors, and writes of the certificate. */
@Injectable()
export class TransportObserver implements OnModuleInit {
  private readonly guard = new BurstGuard();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @InjectMetric(METRIC.tlsErrors) private readonly tlsErrors: Counter,
    @InjectMetric(METRIC.tlsReloads) private readonly reloads: Counter,
    @InjectMetric(METRIC.httpRefused) private readonly refused: Counter,
    private readonly events: TransportEvents,
  ) {}

  onModuleInit(): void {
    this.events.on('tlsFailed', (reason, address) => {
      this.tlsErrors.inc({ reason });
      this.guard.write(`tls:${reason}`, (leftOut) =>
        this.logger.info({ reason, address, ...(leftOut > 0 && { leftOut }) }, 'TLS handshake failed'),
      );
    });
    this.events.on('reloaded', (expiresAt) => {
      this.reloads.inc({ result: 'loaded' });
      this.logger.info({ expiresAt: dateOf(expiresAt) }, 'certificate reloaded');
    });
    this.events.on('reloadRefused', (reason) => {
      this.reloads.inc({ result: 'refused' });
      this.logger.error({ reason }, 'certificate not reloaded, the present one stays');
    });
    this.events.on('expiring', (expiresAt) => this.tellExpiry(expiresAt));
    this.events.on('refused', (reason) => this.refused.inc({ reason }));
    this.events.on('crashed', (err) => {
      this.guard.write('crashed', (leftOut) =>
        this.logger.error({ err, ...(leftOut > 0 && { leftOut }) }, 'HTTP request failed'),
      );
    });
  }

  private tellExpiry(expiresAt: number): void {
    const days = Math.floor((expiresAt - Date.now()) / DAY_MS);
    const sentence = days < 0 ? 'The TLS certificate has expired' : `The TLS certificate ends in ${days} days`;
    this.logger.warn({ expiresAt: dateOf(expiresAt) }, sentence);
  }
}

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
