import { addressRanges } from '../address-ranges.js';
import { integer, milliseconds, oneOf } from '../setting.js';

/** How many may connect, and how fast. */
export const connections = {
  ratePerIp: integer({
    env: 'CONNECTION_RATE_PER_IP',
    fallback: 10,
    unit: 'per second',
    effect: 'New connections of one address (IPv6: of one /64); beyond it 4001 and a ban. 0 = no limit.',
  }),
  maxPerIp: integer({
    env: 'MAX_CONNECTIONS_PER_IP',
    fallback: 200,
    unit: 'connections',
    effect:
      'Open connections of one address (IPv6: of one /64), over all nodes; beyond it 4001, and a ban if they all answer a ping. 0 = no limit.',
  }),
  maxPerUser: integer({
    env: 'MAX_CONNECTIONS_PER_USER',
    fallback: 50,
    unit: 'connections',
    effect: 'Open connections of one user id, over all nodes; beyond it 4001. 0 = no limit.',
  }),
  max: integer({
    env: 'MAX_CONNECTIONS',
    fallback: 50_000,
    unit: 'connections',
    effect: 'Open connections of this node; beyond it 1013. 0 = no limit.',
  }),
  maxPendingUpgrades: integer({
    env: 'MAX_PENDING_UPGRADES',
    fallback: 1_000,
    unit: 'upgrades',
    effect: 'Upgrades whose token is being checked at one time; beyond it 1013. 0 = no limit.',
  }),
  banDurationMs: milliseconds({
    env: 'BAN_DURATION_MS',
    fallback: 60_000,
    effect:
      'How long an address stays banned after its first breach; each further one doubles it. 0 = breaches ban nobody; an operator still can.',
  }),
  banMaxDurationMs: milliseconds({
    env: 'BAN_MAX_DURATION_MS',
    fallback: 86_400_000,
    effect: 'What the doubling ends at. No more than BAN_DURATION_MS = each ban is as long as the first.',
  }),
  exemptAddresses: addressRanges({
    env: 'LIMITS_EXEMPT_ADDRESSES',
    effect:
      'Addresses that no limit of an address holds for, and no automatic ban: monitoring, back ends, load tests. MAX_CONNECTIONS, limits of users and sessions, and an operator’s bans hold all the same.',
  }),
  exemptLoopback: oneOf({
    env: 'LIMITS_EXEMPT_LOOPBACK',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: clients of the same machine (127.0.0.0/8, ::1) are never banned automatically, and CONNECTION_RATE_PER_IP does not hold for them; an operator can still ban them. auto: on unless NODE_ENV is production.',
  }),
} as const;
