/** From the one that writes most to the one that writes nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What has a level of its own, with what it writes of; docs/observability.md lists them, and a test compares. */
export const LOG_AREAS = {
  transport: 'TLS, its certificate, HTTP outside of handlers',
  upgrade: 'who was turned away at the door',
  connections: 'sessions that open, close, vanish or are cut off',
  messages: 'a line a message at debug, handlers that fail, advice about gateways',
  access: 'signing keys, limits on connections, bans',
  channels: 'what applications decide of subscriptions',
  cluster: 'Redis and the other nodes',
  lifecycle: 'start, overload, drain and end',
  api: 'the server API',
  observability: 'anomalies, and what becomes of logs, metrics and traces themselves',
  nest: 'what Nest says of itself',
  app: '`new Logger(…)` in gateways and services of yours',
} as const;

export type LogArea = keyof typeof LOG_AREAS;

/** The level of each area. */
export type LogLevels = Readonly<Record<LogArea, LogLevel>>;

const DEFAULT_BASE: LogLevel = 'info';
const AREA_NAMES = Object.keys(LOG_AREAS) as LogArea[];

/**
 * Reads `info,connections=debug,cluster=warn`: the level of all areas, and of some another one.
 *
 * @throws Error naming the mistake
 */
export function readLogLevels(text: string): LogLevels {
  let base: LogLevel | undefined;
  const own = new Map<LogArea, LogLevel>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [name = '', value, ...rest] = entry.split('=').map((part) => part.trim());
    if (value === undefined && base !== undefined) throw new Error('must have one level that is of no area');
    if (value === undefined) {
      base = levelOf(name);
      continue;
    }
    const area = AREA_NAMES.find((candidate) => candidate === name);
    if (area === undefined) throw new Error(`must name areas out of ${AREA_NAMES.join(', ')}`);
    if (own.has(area) || rest.length > 0) throw new Error('must name each area once, as area=level');
    own.set(area, levelOf(value));
  }
  return Object.fromEntries(AREA_NAMES.map((area) => [area, own.get(area) ?? base ?? DEFAULT_BASE])) as LogLevels;
}

/** @throws Error naming the levels there are */
function levelOf(name: string): LogLevel {
  const level = LOG_LEVELS.find((candidate) => candidate === name);
  if (level === undefined) throw new Error(`must be a level (${LOG_LEVELS.join(', ')}), or levels as area=level`);
  return level;
}
