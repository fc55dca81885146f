import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import { TransportEvents } from '../../transport/transport-events.js';
import { Logs } from './logs.js';
import { METRIC } from '../metrics/metrics.js';

const DAY_MS = 86_400_000;

/** Counts failures of the transport, and logs changes of the certificate. */
@Injectable()
export class TransportObserver implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @InjectMetric(METRIC.tlsErrors) private readonly tlsErrors: Counter,
    @InjectMetric(METRIC.tlsReloads) private readonly reloads: Counter,
    @InjectMetric(METRIC.httpRefused) private readonly refused: Counter,
    private readonly events: TransportEvents,
  ) {}

  onModuleInit(): void {
    this.events.on('tlsFailed', (reason, address) => {
      this.tlsErrors.inc({ reason });
      this.logs.write('tls_failed', () => ({ reason, address }));
    });
    this.events.on('reloaded', (expiresAt) => {
      this.reloads.inc({ result: 'loaded' });
      this.logs.write('certificate_loaded', () => ({ expiresAt: dateOf(expiresAt) }));
    });
    this.events.on('reloadRefused', (reason) => {
      this.reloads.inc({ result: 'refused' });
      this.logs.write('certificate_refused', () => ({ reason }));
    });
    this.events.on('expiring', (expiresAt) => this.tellExpiry(expiresAt));
    this.events.on('refused', (reason) => this.refused.inc({ reason }));
    this.events.on('crashed', (err) => this.logs.write('http_failed', () => ({ err })));
  }

  private tellExpiry(expiresAt: number): void {
    const days = Math.floor((expiresAt - Date.now()) / DAY_MS);
    const kind = days < 0 ? 'certificate_expired' : 'certificate_ending';
    this.logs.write(kind, () => ({ expiresAt: dateOf(expiresAt), days }));
  }
}

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
