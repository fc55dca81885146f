import { integer, milliseconds } from '../setting.js';

/** What stands at the door: TCP connections that are no session. */
export const upgrade = {
  timeoutMs: milliseconds({
    env: 'UPGRADE_TIMEOUT_MS',
    fallback: 10_000,
    effect:
      'From the TCP connection to the end of the request’s headers, whatever trickles in meanwhile; beyond it 408. An upgrade must be decided within as long again, or it is refused with 1013. 0 = no limit.',
  }),
  maxWaiting: integer({
    env: 'MAX_HTTP_CONNECTIONS',
    fallback: 10_000,
    unit: 'connections',
    effect:
      'TCP connections of this node that are no session: on their way to one, or of HTTP. Beyond it the one that has kept the server waiting longest is cut off. 0 = no limit.',
  }),
  maxWaitingPerIp: integer({
    env: 'MAX_HTTP_CONNECTIONS_PER_IP',
    fallback: 100,
    unit: 'connections',
    effect:
      'The same of one address (IPv6: of one /64); a new one beyond it is cut off. Trusted proxies (TRUST_PROXY) and LIMITS_EXEMPT_ADDRESSES are exempt. 0 = no limit.',
  }),
} as const;
