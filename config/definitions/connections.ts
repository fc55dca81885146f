import { addressRanges } from '../address-ranges.js';
import { integer, milliseconds, oneOf } from '../setting.js';

/** Number and rate of connections. */
export const connections = {
  ratePerIp: integer({
    env: 'CONNECTION_RATE_PER_IP',
    fallback: 10,
    unit: 'per second',
    effect:
      'New connections of one address (IPv6: of one /64). Beyond it 4001, and a ban unless they are reconnects. 0 = no limit.',
  }),
  maxPerIp: integer({
    env: 'MAX_CONNECTIONS_PER_IP',
    fallback: 200,
    unit: 'connections',
    effect:
      'Open connections of one address (IPv6: of one /64), over all nodes. Beyond it 4001, and a ban if they all answer a ping. 0 = no limit.',
  }),
  maxPerUser: integer({
    env: 'MAX_CONNECTIONS_PER_USER',
    fallback: 50,
    unit: 'connections',
    effect: 'Open connections of one user id, over all nodes. Beyond it 4001. 0 = no limit.',
  }),
  max: integer({
    env: 'MAX_CONNECTIONS',
    fallback: 50_000,
    unit: 'connections',
    effect: 'Open connections of this node. Beyond it 1013. 0 = no limit.',
  }),
  maxPendingUpgrades: integer({
    env: 'MAX_PENDING_UPGRADES',
    fallback: 1_000,
    unit: 'upgrades',
    effect: 'Upgrades whose token is being checked at the same time. Beyond it 1013. 0 = no limit.',
  }),
  banDurationMs: milliseconds({
    env: 'BAN_DURATION_MS',
    fallback: 60_000,
    effect:
      'How long an address is banned after its first breach. Each further breach doubles the time. 0 = no automatic bans; an operator can still ban.',
  }),
  banMaxDurationMs: milliseconds({
    env: 'BAN_MAX_DURATION_MS',
    fallback: 86_400_000,
    effect: 'Longest automatic ban. If it is not above BAN_DURATION_MS, every ban is as long as the first.',
  }),
  exemptAddresses: addressRanges({
    env: 'LIMITS_EXEMPT_ADDRESSES',
    effect:
      'Addresses without limits per address and without automatic bans: monitoring, back ends, load tests. MAX_CONNECTIONS, limits of users and sessions, and bans by an operator still apply.',
  }),
  exemptLoopback: oneOf({
    env: 'LIMITS_EXEMPT_LOOPBACK',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: clients on the same machine (127.0.0.0/8, ::1) are never banned automatically and have no CONNECTION_RATE_PER_IP; an operator can still ban them. auto: on unless NODE_ENV is production.',
  }),
} as const;
