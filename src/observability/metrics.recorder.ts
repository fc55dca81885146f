import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Counter, Histogram } from 'prom-client';
import { AccessEvents } from '../access/access-events.js';
import { ClusterEvents } from '../cluster/cluster-events.js';
import { REDIS_LINK } from '../cluster/cluster.module.js';
import type { RedisLink } from '../cluster/redis-link.js';
import { DispatchEvents } from '../dispatch/dispatch-events.js';
import { CLOSES } from '../protocol/close-codes.js';
import { SessionEvents } from '../sessions/session-events.js';
import { UpgradeEvents } from '../upgrade/upgrade-events.js';
import { METRIC } from './metrics.js';

/** Clients choose their close codes, so all but these count as one: a label must not have thousands of values. */
const KNOWN_CODES = new Set<number>([...Object.values(CLOSES).map(({ code }) => code), 1005, 1006, 1011]);

/** Counts what happens to connections, and errors. What happens to every message is in MessageTallies. */
@Injectable()
export class MetricsRecorder implements OnModuleInit {
  constructor(
    @InjectMetric(METRIC.opened) private readonly opened: Counter,
    @InjectMetric(METRIC.closed) private readonly closed: Counter,
    @InjectMetric(METRIC.refused) private readonly refused: Counter,
    @InjectMetric(METRIC.duration) private readonly duration: Histogram,
    @InjectMetric(METRIC.errors) private readonly errors: Counter,
    @InjectMetric(METRIC.bansMade) private readonly bansMade: Counter,
    @InjectMetric(METRIC.overRate) private readonly overRate: Counter,
    @InjectMetric(METRIC.roundTrip) private readonly roundTrip: Histogram,
    @InjectMetric(METRIC.dropped) private readonly dropped: Counter,
    @InjectMetric(METRIC.breaches) private readonly breaches: Counter,
    @InjectMetric(METRIC.httpCut) private readonly httpCut: Counter,
    @InjectMetric(METRIC.recoveries) private readonly recoveries: Counter,
    @InjectMetric(METRIC.repeats) private readonly repeats: Counter,
    @InjectMetric(METRIC.subscriptionsDropped) private readonly subscriptionsDropped: Counter,
    @InjectMetric(METRIC.clusterLosses) private readonly clusterLosses: Counter,
    @InjectMetric(METRIC.redisFailures) private readonly redisFailures: Counter,
    @Inject(REDIS_LINK) private readonly link: RedisLink | undefined,
    private readonly sessions: SessionEvents,
    private readonly upgrades: UpgradeEvents,
    private readonly messages: DispatchEvents,
    private readonly cluster: ClusterEvents,
    private readonly access: AccessEvents,
  ) {}

  onModuleInit(): void {
    this.sessions.on('opened', () => this.opened.inc());
    this.sessions.on('closed', ({ openedAt }, code) => {
      this.closed.inc({ code: KNOWN_CODES.has(code) ? String(code) : 'other' });
      this.duration.observe((Date.now() - openedAt) / 1_000);
    });
    this.sessions.on('roundTrip', (milliseconds) => this.roundTrip.observe(milliseconds / 1_000));
    this.sessions.on('overflowed', (_session, reason, droppedFrames) => this.dropped.inc({ reason }, droppedFrames));
    this.sessions.on('shed', (reason, droppedFrames) => this.dropped.inc({ reason }, droppedFrames));
    this.sessions.on('breached', (_session, reason) => this.breaches.inc({ reason }));
    this.upgrades.on('cut', (reason) => this.httpCut.inc({ reason }));
    this.sessions.on('recovered', (result) => this.recoveries.inc({ result }));
    this.sessions.on('repeated', (type) => this.repeats.inc({ type }));
    this.sessions.on('dropped', (_session, _channel, lost) => this.subscriptionsDropped.inc({ lost }));
    this.link?.on('failed', () => this.redisFailures.inc());
    this.access.on('banned', ({ by, reason }) => this.bansMade.inc({ reason: by === 'operator' ? by : reason }));
    const overRate = { session: this.overRate.labels('session'), address: this.overRate.labels('address') };
    this.access.on('overRate', (of) => overRate[of].inc());
    this.upgrades.on('refused', (reason) => this.refused.inc({ reason }));
    this.messages.on('failed', (code) => this.errors.inc({ code }));
    this.cluster.on('lost', (what, count) => this.clusterLosses.inc({ what }, count));
  }
}
