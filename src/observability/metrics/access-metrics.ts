import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { AccessEvents } from '../../access/access-events.js';
import { Bans, BREACH_REASONS } from '../../access/lists/bans.js';
import { ConnectionLimits } from '../../access/limits/connection-limits.js';
import { PlaceCheck } from '../../access/limits/place-check.js';
import { Reconnects } from '../../access/limits/reconnects.js';
import { Revocations } from '../../access/lists/revocations.js';
import { eventCounters } from './event-metric.js';
import { METRIC } from './metrics.js';
import { pulledCounter, pulledCounters, pulledGauge } from './pulled-metric.js';

const OPERATOR = 'operator';

/** Bans, revocations, and records that were dropped for lack of room. */
export const accessMetrics: Provider[] = [
  {
    provide: getToken(METRIC.bans),
    inject: [Bans],
    useFactory: (bans: Bans) => pulledGauge(METRIC.bans, 'Addresses and users banned', () => bans.activeCount),
  },
  eventCounters(AccessEvents, {
    name: METRIC.bansMade,
    help: 'Bans made on this node, by the limit that was broken, or "operator"',
    label: 'reason',
    values: [...BREACH_REASONS, OPERATOR],
    listen: (access, count) => access.on('banned', ({ by, reason }) => count(by === 'operator' ? OPERATOR : reason)),
  }),
  {
    provide: getToken(METRIC.bansSpared),
    inject: [PlaceCheck, Reconnects],
    useFactory: (check: PlaceCheck, reconnects: Reconnects) =>
      pulledCounter(
        METRIC.bansSpared,
        'Addresses over a rate or connection limit that were refused but not banned, because their clients may have lost connections',
        () => check.sparedCount + reconnects.sparedCount,
      ),
  },
  {
    provide: getToken(METRIC.revocations),
    inject: [Revocations],
    useFactory: (revocations: Revocations) =>
      pulledGauge(METRIC.revocations, 'Revocations and changes of rights in force', () => revocations.activeCount),
  },
  {
    provide: getToken(METRIC.revocationsRefused),
    inject: [Revocations],
    useFactory: (revocations: Revocations) =>
      pulledCounter(
        METRIC.revocationsRefused,
        'Revocations refused because too many were in force',
        () => revocations.refusedCount,
      ),
  },
  {
    provide: getToken(METRIC.addressesForgotten),
    inject: [ConnectionLimits, Bans],
    useFactory: (limits: ConnectionLimits, bans: Bans) =>
      pulledCounters(
        {
          name: METRIC.addressesForgotten,
          help: 'Records of addresses dropped early because there were too many',
          label: 'what',
        },
        () => Object.entries({ rate: limits.dropped, ...bans.dropped }),
      ),
  },
];
