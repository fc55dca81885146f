import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { BREACHES } from '../../protocol/breaches.js';
import { CLOSES } from '@gatehouse/protocol';
import { SessionEvents } from '../../sessions/session-events.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import { InboundBudget } from '../../socket/inbound-budget.js';
import { OVERFLOW_REASONS } from '../../socket/outbound-budget.js';
import { SHED_REASONS } from '../../socket/outbound-observer.js';
import { OutboundContext } from '../../socket/outbound-context.js';
import { PendingConnections } from '../../upgrade/pending/pending-connections.js';
import { HTTP_FAULTS } from '../../upgrade/pending/http-faults.js';
import { REFUSALS } from '../../upgrade/ladder/refusals.js';
import { UpgradeEvents } from '../../upgrade/upgrade-events.js';
import { ConnectionTallies } from './connection-tallies.js';
import { frameMetrics } from './frame-metrics.js';
import { eventCounter, eventCounters, eventHistogram } from './event-metric.js';
import { METRIC } from './metrics.js';
import { pulledCounter, pulledCounters, pulledGauge, pulledGauges } from './pulled-metric.js';

const SECONDS_OF_CONNECTIONS = [1, 10, 60, 300, 1_800, 3_600, 21_600, 86_400];
const SECONDS_OF_ROUND_TRIPS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Clients choose their close codes, so all other codes count as one: a label must not have thousands of values. */
const KNOWN_CODES = new Set<number>([...Object.values(CLOSES).map(({ code }) => code), 1005, 1006, 1011]);
const OTHER_CODE = 'other';

const comingAndGoing: Provider[] = [
  eventCounter(SessionEvents, {
    name: METRIC.opened,
    help: 'Connections opened',
    listen: (sessions, count) => sessions.on('opened', () => count()),
  }),
  eventCounters(SessionEvents, {
    name: METRIC.closed,
    help: 'Connections closed, by close code',
    label: 'code',
    values: [...[...KNOWN_CODES].map(String), OTHER_CODE],
    listen: (sessions, count) =>
      sessions.on('closed', (_session, code) => count(KNOWN_CODES.has(code) ? String(code) : OTHER_CODE)),
  }),
  eventCounters(UpgradeEvents, {
    name: METRIC.refused,
    help: 'Upgrades refused, by reason',
    label: 'reason',
    values: Object.keys(REFUSALS),
    listen: (upgrades, count) => upgrades.on('refused', (reason) => count(reason)),
  }),
  eventHistogram(SessionEvents, {
    name: METRIC.duration,
    help: 'Lifetime of connections',
    buckets: SECONDS_OF_CONNECTIONS,
    listen: (sessions, observe) => sessions.on('closed', ({ openedAt }) => observe((Date.now() - openedAt) / 1_000)),
  }),
  eventCounters(SessionEvents, {
    name: METRIC.breaches,
    help: 'Connections closed because the client broke a rule, by rule',
    label: 'reason',
    values: [...BREACHES],
    listen: (sessions, count) => sessions.on('breached', (_session, reason) => count(reason)),
  }),
  eventCounters(UpgradeEvents, {
    name: METRIC.httpCut,
    help: 'TCP connections closed before a complete request arrived, by reason',
    label: 'reason',
    values: Object.keys(HTTP_FAULTS),
    listen: (upgrades, count) => upgrades.on('cut', (reason) => count(reason)),
  }),
];

const open: Provider[] = [
  {
    provide: getToken(METRIC.active),
    inject: [SessionRegistry],
    useFactory: (sessions: SessionRegistry) => pulledGauge(METRIC.active, 'Open connections', () => sessions.size),
  },
  {
    provide: getToken(METRIC.sessions),
    inject: [ConnectionTallies],
    useFactory: ({ byProtocol }: ConnectionTallies) =>
      pulledGauges(
        { name: METRIC.sessions, help: 'Open sessions, by subprotocol', label: 'protocol' },
        () => byProtocol,
      ),
  },
  {
    provide: getToken(METRIC.httpConnections),
    inject: [PendingConnections],
    useFactory: (pendingConnections: PendingConnections) =>
      pulledGauge(METRIC.httpConnections, 'TCP connections without a session', () => pendingConnections.size),
  },
  eventHistogram(SessionEvents, {
    name: METRIC.roundTrip,
    help: 'Time from ping to pong',
    buckets: SECONDS_OF_ROUND_TRIPS,
    listen: (sessions, observe) => sessions.on('roundTrip', (milliseconds) => observe(milliseconds / 1_000)),
  }),
];

const bytes: Provider[] = [
  {
    provide: getToken(METRIC.networkBytes),
    inject: [ConnectionTallies],
    useFactory: (tallies: ConnectionTallies) =>
      pulledCounters(
        {
          name: METRIC.networkBytes,
          help: 'Bytes on the TCP connections of sessions, including the upgrade and TLS, after compression',
          label: 'direction',
        },
        () => tallies.traffic(),
      ),
  },
  {
    provide: getToken(METRIC.bytesSent),
    inject: [OutboundContext],
    useFactory: ({ turn }: OutboundContext) =>
      pulledCounter(METRIC.bytesSent, 'Frame bytes handed to sockets', () => turn.bytesSent),
  },
  {
    provide: getToken(METRIC.queueBytes),
    inject: [OutboundContext],
    useFactory: ({ budget }: OutboundContext) =>
      pulledGauge(METRIC.queueBytes, 'Bytes that wait for slow readers', () => budget.waiting),
  },
  {
    provide: getToken(METRIC.inboundBytes),
    inject: [InboundBudget],
    useFactory: (inboundBudget: InboundBudget) =>
      pulledGauge(METRIC.inboundBytes, 'Bytes of incomplete messages', () => inboundBudget.bytes),
  },
  eventCounters(SessionEvents, {
    name: METRIC.dropped,
    help: 'Frames dropped instead of sent, by reason',
    label: 'reason',
    values: [...OVERFLOW_REASONS, ...SHED_REASONS],
    listen: (sessions, count) => {
      sessions.on('overflowed', (_session, reason, droppedFrames) => count(reason, droppedFrames));
      sessions.on('shed', (reason, droppedFrames) => count(reason, droppedFrames));
    },
  }),
];

/** Connections: opened and closed, open now, and their traffic. */
export const connectionMetrics: Provider[] = [...comingAndGoing, ...open, ...bytes, ...frameMetrics];
