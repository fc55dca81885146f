/** From the level that writes most to the one that writes nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Areas with a level of their own, and what they log. docs/observability.md lists them, and a test compares. */
export const LOG_AREAS = {
  transport: 'TLS, its certificate, HTTP requests that fail outside a handler',
  upgrade: 'refused upgrades',
  connections: 'sessions that open, close, stop responding or are disconnected',
  messages: 'one line per message at debug, failed handlers, warnings about gateways',
  access: 'signing keys, limits on connections, bans',
  channels: 'hooks of applications that fail',
  cluster: 'Redis and the other nodes',
  hooks: 'requests to back ends that fail',
  outbox: 'rows of the outbox that are not published, and its database',
  bridges: 'messages of Kafka and NATS that are not published, and these brokers',
  edge: 'the centre of an edge node, and its store of messages',
  lifecycle: 'start, overload, drain and shutdown',
  api: 'the server API',
  observability: 'anomalies, and failures of logs, metrics and traces themselves',
  nest: 'messages of Nest itself',
  app: '`new Logger(…)` in your gateways and services',
} as const;

export type LogArea = keyof typeof LOG_AREAS;

/** The level of each area. */
export type LogLevels = Readonly<Record<LogArea, LogLevel>>;

const DEFAULT_BASE: LogLevel = 'info';
const AREA_NAMES = Object.keys(LOG_AREAS) as LogArea[];

/**
 * Reads `info,connections=debug,cluster=warn`: a level for all areas, and others for some areas.
 *
 * @throws Error naming the mistake
 */
export function readLogLevels(text: string): LogLevels {
  let base: LogLevel | undefined;
  const own = new Map<LogArea, LogLevel>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [name = '', value, ...rest] = entry.split('=').map((part) => part.trim());
    if (value === undefined && base !== undefined) throw new Error('must have one level without an area');
    if (value === undefined) {
      base = levelOf(name);
      continue;
    }
    const area = AREA_NAMES.find((candidate) => candidate === name);
    if (area === undefined) throw new Error(`must name only these areas: ${AREA_NAMES.join(', ')}`);
    if (own.has(area) || rest.length > 0) throw new Error('must name each area once, as area=level');
    own.set(area, levelOf(value));
  }
  return Object.fromEntries(AREA_NAMES.map((area) => [area, own.get(area) ?? base ?? DEFAULT_BASE])) as LogLevels;
}

/** @throws Error naming the possible levels */
function levelOf(name: string): LogLevel {
  const level = LOG_LEVELS.find((candidate) => candidate === name);
  if (level === undefined) throw new Error(`must be a level (${LOG_LEVELS.join(', ')}), or levels as area=level`);
  return level;
}
