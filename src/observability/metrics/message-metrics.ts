import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import type { Metric } from 'prom-client';
import { AccessEvents, RATES_OF } from '../../access/access-events.js';
import { DispatchEvents } from '../../dispatch/dispatch-events.js';
import { ERRORS } from '@gatehouse/protocol';
import { SessionEvents, UNHANDLED_REASONS } from '../../sessions/session-events.js';
import { eventCounter, eventCounters } from './event-metric.js';
import { MessageTallies } from './message-tallies.js';
import { METRIC } from './metrics.js';
import { pulledCounter, pulledCounters } from './pulled-metric.js';
import { tallyHistograms } from './tally.js';

/** Counted for every message in plain numbers, and collected at a scrape. */
const tallied: Provider[] = [
  tallyProvider(METRIC.received, ({ received }) =>
    pulledCounters({ name: METRIC.received, help: 'Messages received, by type', label: 'type' }, () => received),
  ),
  tallyProvider(METRIC.sent, ({ sent }) =>
    pulledCounters({ name: METRIC.sent, help: 'Messages queued for clients, by type', label: 'type' }, () => sent),
  ),
  tallyProvider(METRIC.processingTime, ({ processingTime }) =>
    tallyHistograms(
      {
        name: METRIC.processingTime,
        help: 'Time from the arrival of a message to its reply, by type',
        label: 'type',
        bounds: processingTime.bounds,
      },
      () => processingTime.entries(),
    ),
  ),
  tallyProvider(METRIC.size, ({ size }) =>
    tallyHistograms(
      {
        name: METRIC.size,
        help: 'Size of messages; a message to many clients counts once per encoding',
        label: 'direction',
        bounds: size.in.bounds,
      },
      () => Object.entries(size),
    ),
  ),
  tallyProvider(METRIC.bytesReceived, (tallies) =>
    pulledCounter(METRIC.bytesReceived, 'Payload bytes of messages received', () => tallies.bytesReceived),
  ),
];

/** Messages: number, size, duration and errors. */
export const messageMetrics: Provider[] = [
  ...tallied,
  eventCounters(DispatchEvents, {
    name: METRIC.errors,
    help: 'Error replies, by code',
    label: 'code',
    values: Object.keys(ERRORS),
    listen: (messages, count) => messages.on('failed', (code) => count(code)),
  }),
  eventCounters(AccessEvents, {
    name: METRIC.overRate,
    help: 'Messages refused or delayed because their session or address exceeded its rate',
    label: 'of',
    values: RATES_OF,
    listen: (access, count) => access.on('overRate', (of) => count(of)),
  }),
  eventCounters(SessionEvents, {
    name: METRIC.repeats,
    help: 'Protected messages that were sent again and got the first reply, by type',
    label: 'type',
    // Each gateway decides which types are protected.
    values: [],
    listen: (sessions, count) => sessions.on('repeated', (type) => count(type)),
  }),
  eventCounters(SessionEvents, {
    name: METRIC.unhandled,
    help: 'Complete messages that were not handled, by reason',
    label: 'reason',
    values: UNHANDLED_REASONS,
    listen: (sessions, count) => sessions.on('unhandled', (reason, messages) => count(reason, messages)),
  }),
  eventCounter(DispatchEvents, {
    name: METRIC.unsent,
    help: 'Replies dropped because the connection had closed',
    listen: (messages, count) => messages.on('unsent', () => count()),
  }),
];

function tallyProvider(name: string, create: (tallies: MessageTallies) => Metric): Provider {
  return { provide: getToken(name), inject: [MessageTallies], useFactory: create };
}
