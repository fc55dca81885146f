import { checkKeySetUrl, checkSecret, importPublicKey } from './keys.js';
import { checkPublicUrl, checkRedisUrls } from './addresses.js';
import { bytes, integer, isOrigin, list, milliseconds, oneOf, optionalText, text } from './setting.js';
import { trustedProxies } from './trusted-proxies.js';

/**
 * Every setting there is. .env.example and the settings table of the docs are made from this list
 * (`npm run env:example`), so a setting cannot exist without its unit, default and effect.
 */
export const DEFINITIONS = {
  server: {
    environment: oneOf({
      env: 'NODE_ENV',
      values: ['development', 'test', 'production'],
      fallback: 'development',
      effect: 'production demands a key for tokens; development makes a secret and prints a ready link.',
    }),
    port: integer({
      env: 'PORT',
      fallback: 8080,
      unit: 'TCP port',
      max: 65_535,
      effect: 'The one port of HTTP and WebSocket; 0 takes a free one.',
    }),
    host: optionalText({
      env: 'HOST',
      unit: 'address',
      effect: 'The address to listen on; unset means every address, IPv6 and IPv4.',
    }),
    wsPath: text({
      env: 'WS_PATH',
      fallback: '/ws',
      unit: 'path',
      pattern: /^\/[\w\-./]*$/,
      must: 'must be a path such as /ws',
      effect: 'The path of the WebSocket endpoint.',
    }),
    serverId: optionalText({
      env: 'SERVER_ID',
      unit: 'name',
      pattern: /^[\w.-]{1,64}$/,
      must: 'must be 1 to 64 letters, digits, dots, dashes or underscores',
      effect:
        'The name of this node in hello_reply, logs and among the nodes of a cluster, where no two may have the same; unset means host name and a random part.',
    }),
    publicUrl: optionalText({
      env: 'PUBLIC_URL',
      unit: 'URL',
      check: checkPublicUrl,
      effect:
        'Where clients reach the WebSocket endpoint of this very node, such as wss://node-1.example.com/ws, told by GET /route; unset means the host name, PORT and WS_PATH.',
    }),
    trustProxy: trustedProxies({
      env: 'TRUST_PROXY',
      effect:
        'Whose X-Forwarded-For is believed: a number of proxies in front, or a list of their addresses; empty believes nobody.',
    }),
    allowedOrigins: list({
      env: 'ALLOWED_ORIGINS',
      unit: 'origins',
      check: isOrigin,
      must: 'must be origins such as https://app.example.com, or *',
      effect:
        'Pages that may connect, such as https://app.example.com; * means any; empty means pages of the same host name. Clients that send no Origin are no browsers and always pass.',
    }),
  },
  authentication: {
    mode: oneOf({
      env: 'AUTH_MODE',
      values: ['required', 'optional', 'off'],
      fallback: 'required',
      effect:
        'required: no connection without a token. optional: none means anonymous, a bad one is refused. off: tokens are not read.',
    }),
    refusal: oneOf({
      env: 'AUTH_REFUSAL',
      values: ['close', 'http'],
      fallback: 'close',
      effect:
        'close: the upgrade completes and closes with 4401 or 4403, which a browser can read. http: 401 on the upgrade.',
    }),
    jwtSecret: optionalText({
      env: 'JWT_SECRET',
      unit: 'text',
      secret: true,
      check: checkSecret,
      effect: 'Key of HS256, HS384 and HS512 tokens; use 32 random bytes or more.',
    }),
    jwtPublicKey: optionalText({
      env: 'JWT_PUBLIC_KEY',
      unit: 'PEM',
      // Not one itself, but what is put here by mistake is one: the private key, or the shared secret.
      secret: true,
      check: importPublicKey,
      effect: 'Key of RS, PS and ES tokens; line breaks may be written as \\n.',
    }),
    jwksUrl: optionalText({
      env: 'JWT_JWKS_URL',
      unit: 'URL',
      // A mistyped one may hold a password.
      secret: true,
      check: checkKeySetUrl,
      effect: 'Where the public keys of RS, PS and ES tokens are fetched by their kid, kept, and refreshed.',
    }),
    issuer: optionalText({ env: 'JWT_ISSUER', unit: 'text', effect: 'Demanded iss claim; unset accepts any.' }),
    audience: optionalText({ env: 'JWT_AUDIENCE', unit: 'text', effect: 'Demanded aud claim; unset accepts any.' }),
    broadcastRoles: list({
      env: 'BROADCAST_ROLES',
      unit: 'roles',
      effect: 'Who may send broadcast: any of these roles; empty means everyone signed in.',
    }),
  },
  connections: {
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
        'Open connections of one address (IPv6: of one /64), over all nodes; beyond it 4001 and a ban. 0 = no limit.',
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
      effect: 'How long an address stays banned after a breach. 0 = breaches ban nobody; an operator still can.',
    }),
  },
  messages: {
    maxBytes: bytes({
      env: 'MAX_MESSAGE_BYTES',
      fallback: 10_485_760,
      min: 1,
      max: 1_073_741_824,
      effect: 'Largest message from a client; beyond it the connection closes with 1009.',
    }),
    rate: integer({
      env: 'MESSAGE_RATE',
      fallback: 100,
      unit: 'per second',
      effect: 'Messages a session may send in the long run. 0 = no limit.',
    }),
    burst: integer({
      env: 'MESSAGE_BURST',
      fallback: 200,
      unit: 'messages',
      effect: 'Messages a session may send at once. 0 = the same as MESSAGE_RATE.',
    }),
    ratePerIp: integer({
      env: 'MESSAGE_RATE_PER_IP',
      fallback: 2_000,
      unit: 'per second',
      effect: 'Messages all sessions of one address may send in the long run, at once twice that. 0 = no limit.',
    }),
    rateLimitMode: oneOf({
      env: 'RATE_LIMIT_MODE',
      values: ['reject', 'throttle'],
      fallback: 'reject',
      effect: 'reject: RATE_LIMIT_EXCEEDED. throttle: reading pauses until a token is there, nothing is lost.',
    }),
    compressFromBytes: bytes({
      env: 'COMPRESS_FROM_BYTES',
      fallback: 0,
      effect:
        'Messages to clients this long or longer are compressed (permessage-deflate), one for many only once. 0 = no compression is offered.',
    }),
    maxPending: integer({
      env: 'MAX_PENDING_MESSAGES',
      fallback: 64,
      min: 1,
      unit: 'messages',
      effect: 'Messages of one connection that may wait for its handlers; beyond it reading pauses.',
    }),
    maxProtocolErrors: integer({
      env: 'MAX_PROTOCOL_ERRORS',
      fallback: 20,
      unit: 'errors',
      effect: 'Malformed messages in a row before a connection closes with 1008. 0 = never.',
    }),
  },
  channels: {
    file: optionalText({
      env: 'CHANNELS_FILE',
      unit: 'path',
      effect:
        'The namespaces of channels: who may subscribe and publish, history, presence, delivery; unset takes config/channels.yaml.',
    }),
    historyBudgetBytes: bytes({
      env: 'HISTORY_BUDGET_BYTES',
      fallback: 134_217_728,
      effect:
        'What the histories of all channels may take in the memory of a node without Redis, about; beyond it the channels that were published in longest ago forget theirs. 0 = no limit. Redis has a limit of its own, maxmemory.',
    }),
    maxPerSession: integer({
      env: 'MAX_CHANNELS_PER_SESSION',
      fallback: 128,
      unit: 'channels',
      effect: 'Channels one session may be subscribed to; beyond it CHANNEL_LIMIT_REACHED. 0 = no limit.',
    }),
  },
  cluster: {
    redisUrl: optionalText({
      env: 'REDIS_URL',
      unit: 'URL',
      // It may hold a password.
      secret: true,
      check: checkRedisUrls,
      effect:
        'The Redis 7 or Valkey that joins several nodes, redis://[user:password@]host:port/db or rediss://; of a Redis Cluster some of its nodes, separated by commas. Unset: this node is the only one, and keeps everything in its memory.',
    }),
    redisMode: oneOf({
      env: 'REDIS_MODE',
      values: ['standalone', 'cluster'],
      fallback: 'standalone',
      effect: 'cluster: REDIS_URL names nodes of a Redis Cluster, and sharded pub/sub is used.',
    }),
    redisPrefix: text({
      env: 'REDIS_PREFIX',
      fallback: 'gatehouse',
      unit: 'name',
      pattern: /^[\w.-]{1,32}$/,
      must: 'must be 1 to 32 letters, digits, dots, dashes or underscores',
      effect: 'Begins every key and channel in Redis, so that several installations can share one.',
    }),
    redisTimeoutMs: milliseconds({
      env: 'REDIS_TIMEOUT_MS',
      fallback: 2_000,
      min: 100,
      effect: 'A command that Redis has not answered by then has failed, and Redis counts as gone until it answers.',
    }),
  },
  heartbeat: {
    intervalMs: milliseconds({
      env: 'HEARTBEAT_INTERVAL_MS',
      fallback: 25_000,
      effect: 'Time between two pings of one connection. 0 = no heartbeat.',
    }),
    timeoutMs: milliseconds({
      env: 'HEARTBEAT_TIMEOUT_MS',
      fallback: 10_000,
      min: 1,
      effect: 'A connection from which nothing came this long after a ping is gone.',
    }),
  },
  outbound: {
    queueBytes: bytes({
      env: 'OUTBOUND_QUEUE_BYTES',
      fallback: 1_048_576,
      min: 1_024,
      effect: 'Bytes that may wait for one slow reader; beyond it 4008.',
    }),
    budgetBytes: bytes({
      env: 'OUTBOUND_BUDGET_BYTES',
      fallback: 268_435_456,
      effect:
        'Bytes that may wait for all slow readers of the node; beyond it the slowest close with 4008. 0 = no limit.',
    }),
  },
  lifecycle: {
    drainTimeoutMs: milliseconds({
      env: 'DRAIN_TIMEOUT_MS',
      fallback: 20_000,
      min: 1,
      effect: 'Time from SIGTERM to the end of the process, at most. Keep it below the orchestrator’s grace period.',
    }),
    reconnectWindowMs: milliseconds({
      env: 'RECONNECT_WINDOW_MS',
      fallback: 5_000,
      effect:
        'Told to the clients of a draining node: reconnect at a random moment within it. More is told where the other nodes need longer to take them in. 0 = at once, if there is no other node.',
    }),
  },
  overload: {
    eventLoopLagMs: milliseconds({
      env: 'OVERLOAD_EVENT_LOOP_LAG_MS',
      fallback: 500,
      effect: 'Event-loop lag above which new connections are refused with 1013. 0 = not looked at.',
    }),
    bufferedPercent: integer({
      env: 'OVERLOAD_BUFFERED_PERCENT',
      fallback: 90,
      unit: 'percent',
      max: 100,
      effect:
        'Share of OUTBOUND_BUDGET_BYTES that waits for slow readers above which new connections are refused with 1013. 0 = not looked at.',
    }),
    heapPercent: integer({
      env: 'OVERLOAD_HEAP_PERCENT',
      fallback: 90,
      unit: 'percent',
      max: 100,
      effect: 'Share of the heap limit above which new connections are refused with 1013. 0 = not looked at.',
    }),
  },
  api: {
    enabled: oneOf({
      env: 'API_ENABLED',
      values: ['on', 'off'],
      fallback: 'on',
      effect: 'off: there is no server API under /api. GET /route is there either way.',
    }),
    docs: oneOf({
      env: 'API_DOCS',
      values: ['on', 'off'],
      fallback: 'on',
      effect: 'off: neither /docs, which shows the server API, nor its OpenAPI document at /docs-json.',
    }),
    maxBodyBytes: bytes({
      env: 'API_MAX_BODY_BYTES',
      fallback: 1_048_576,
      min: 1_024,
      max: 1_073_741_824,
      effect: 'Largest body of a request to the server API; beyond it 413.',
    }),
  },
  health: {
    maxEventLoopLagMs: milliseconds({
      env: 'READY_MAX_EVENT_LOOP_LAG_MS',
      fallback: 1_000,
      effect: 'Event-loop lag since the last question above which /ready answers 503. 0 = not looked at.',
    }),
    maxHeapPercent: integer({
      env: 'READY_MAX_HEAP_PERCENT',
      fallback: 95,
      unit: 'percent',
      max: 100,
      effect: 'Share of the heap limit above which /ready answers 503. 0 = not looked at.',
    }),
  },
  log: {
    level: oneOf({
      env: 'LOG_LEVEL',
      values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      fallback: 'info',
      effect: 'The least important line that is written; debug adds a line per message.',
    }),
    format: oneOf({
      env: 'LOG_FORMAT',
      values: ['auto', 'json', 'pretty'],
      fallback: 'auto',
      effect: 'auto: pretty on a terminal, JSON elsewhere.',
    }),
  },
} as const;
