import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Counter, Histogram } from 'prom-client';
import { DispatchEvents } from '../dispatch/dispatch-events.js';
import { CLOSES } from '../protocol/close-codes.js';
import { SessionEvents } from '../sessions/session-events.js';
import { UpgradeEvents } from '../upgrade/upgrade-events.js';
import { METRIC } from './metrics.js';

/** Clients choose their close codes, so all but these count as one: a label must not have thousands of values. */
const KNOWN_CODES = new Set<number>([...Object.values(CLOSES).map(({ code }) => code), 1005, 1006, 1011]);

/** Feeds the counters and histograms from the events of the stages. */
@Injectable()
export class MetricsRecorder implements OnModuleInit {
  constructor(
    @InjectMetric(METRIC.opened) private readonly opened: Counter,
    @InjectMetric(METRIC.closed) private readonly closed: Counter,
    @InjectMetric(METRIC.refused) private readonly refused: Counter,
    @InjectMetric(METRIC.duration) private readonly duration: Histogram,
    @InjectMetric(METRIC.received) private readonly received: Counter,
    @InjectMetric(METRIC.sent) private readonly sent: Counter,
    @InjectMetric(METRIC.bytesReceived) private readonly bytesReceived: Counter,
    @InjectMetric(METRIC.size) private readonly size: Histogram,
    @InjectMetric(METRIC.processingTime) private readonly processingTime: Histogram,
    @InjectMetric(METRIC.errors) private readonly errors: Counter,
    @InjectMetric(METRIC.roundTrip) private readonly roundTrip: Histogram,
    @InjectMetric(METRIC.dropped) private readonly dropped: Counter,
    private readonly sessions: SessionEvents,
    private readonly upgrades: UpgradeEvents,
    private readonly messages: DispatchEvents,
  ) {}

  onModuleInit(): void {
    this.recordConnections();
    this.recordMessages();
  }

  private recordConnections(): void {
    this.sessions.on('opened', () => this.opened.inc());
    this.sessions.on('closed', ({ openedAt }, code) => {
      this.closed.inc({ code: KNOWN_CODES.has(code) ? String(code) : 'other' });
      this.duration.observe((Date.now() - openedAt) / 1_000);
    });
    this.sessions.on('roundTrip', (milliseconds) => this.roundTrip.observe(milliseconds / 1_000));
    this.sessions.on('overflowed', (_session, reason, droppedFrames) => this.dropped.inc({ reason }, droppedFrames));
    this.upgrades.on('refused', (reason) => this.refused.inc({ reason }));
  }

  private recordMessages(): void {
    // Label children are resolved once a type: looking them up costs more than counting.
    const received = perLabel((type) => this.received.labels(type));
    const sent = perLabel((type) => this.sent.labels(type));
    const processingTime = perLabel((type) => this.processingTime.labels(type));
    const sizeIn = this.size.labels('in');
    const sizeOut = this.size.labels('out');

    this.messages.on('received', (type, bytes) => {
      received(type).inc();
      this.bytesReceived.inc(bytes);
      sizeIn.observe(bytes);
    });
    this.messages.on('handled', (type, milliseconds) => processingTime(type).observe(milliseconds / 1_000));
    this.messages.on('failed', (code) => this.errors.inc({ code }));
    this.sessions.on('sent', (type, bytes, count) => {
      sent(type).inc(count);
      sizeOut.observe(bytes);
    });
  }
}

function perLabel<T>(create: (label: string) => T): (label: string) => T {
  const children = new Map<string, T>();
  return (label) => {
    let child = children.get(label);
    if (child === undefined) {
      child = create(label);
      children.set(label, child);
    }
    return child;
  };
}
