import { integer, milliseconds } from '../setting.js';

/** Limits on TCP connections without a session. */
export const upgrade = {
  timeoutMs: milliseconds({
    env: 'UPGRADE_TIMEOUT_MS',
    fallback: 10_000,
    effect:
      'Longest time from the TCP connection to the end of the request’s headers, even if bytes keep arriving. Beyond it 408. An upgrade must then be decided within the same time, or it is refused with 1013. 0 = no limit.',
  }),
  maxWaiting: integer({
    env: 'MAX_HTTP_CONNECTIONS',
    fallback: 10_000,
    unit: 'connections',
    effect:
      'TCP connections of this node without a session: before an upgrade, or plain HTTP. Beyond it, the one that has kept the server waiting longest is cut off. 0 = no limit.',
  }),
  maxWaitingPerIp: integer({
    env: 'MAX_HTTP_CONNECTIONS_PER_IP',
    fallback: 100,
    unit: 'connections',
    effect:
      'The same for one address (IPv6: one /64). A new connection beyond it is cut off. Trusted proxies (TRUST_PROXY) and LIMITS_EXEMPT_ADDRESSES are exempt. 0 = no limit.',
  }),
} as const;
