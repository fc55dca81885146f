import { BACK_END_LINES } from './back-end-lines.js';
import { PRIMARY_LINES } from './primary-lines.js';
import type { LogArea, LogLevel } from '../../../config/log-levels.js';

export type WrittenLevel = Exclude<LogLevel, 'silent'>;

interface LineDefinition {
  readonly area: LogArea;
  readonly level: WrittenLevel;
  /** The text of the line. It must not change, because operators search for it. */
  readonly sentence: string;
  readonly fields: readonly string[];
  /** Limited by LOG_TRAFFIC_LINES, because it is about ordinary traffic. Other lines are limited by LOG_BURST_LINES. */
  readonly isTraffic?: true;
  /** A field with a fixed set of values. Lines with different values have separate limits. */
  readonly boundedBy?: 'reason' | 'status' | 'fault';
}

const MESSAGE = ['session', 'id', 'trace_id', 'span_id'] as const;
const SESSION = ['session', 'user', 'address', 'protocol'] as const;

/** Every line of the log, by kind. docs/observability.md explains them, and a test compares. */
export const LOG_LINES = {
  session_opened: {
    area: 'connections',
    level: 'debug',
    sentence: 'session opened',
    fields: SESSION,
    isTraffic: true,
  },
  session_closed: {
    area: 'connections',
    level: 'info',
    sentence: 'session closed',
    fields: [...SESSION, 'code', 'durationMs', 'received', 'sent'],
    isTraffic: true,
  },
  slow_consumer: {
    area: 'connections',
    level: 'warn',
    sentence: 'disconnected a slow client',
    fields: [...SESSION, 'reason', 'droppedFrames'],
    boundedBy: 'reason',
  },
  client_vanished: { area: 'connections', level: 'info', sentence: 'client stopped responding', fields: SESSION },
  rule_broken: {
    area: 'connections',
    level: 'info',
    sentence: 'closed a client that broke a protocol rule',
    fields: [...SESSION, 'reason'],
    boundedBy: 'reason',
  },
  upgrade_refused: {
    area: 'upgrade',
    level: 'info',
    sentence: 'upgrade refused',
    fields: ['reason', 'address', 'bannedUntil'],
    boundedBy: 'reason',
  },
  address_banned: {
    area: 'upgrade',
    level: 'warn',
    sentence: 'address banned',
    fields: ['reason', 'address', 'bannedUntil'],
    boundedBy: 'reason',
  },
  connection_cut: {
    area: 'upgrade',
    level: 'info',
    sentence: 'closed a connection that sent no complete request',
    fields: ['reason', 'address'],
    boundedBy: 'reason',
  },
  message: {
    area: 'messages',
    level: 'debug',
    sentence: 'message',
    fields: [...MESSAGE, 'type', 'milliseconds', 'outcome'],
    isTraffic: true,
  },
  gateway_message: {
    area: 'messages',
    level: 'info',
    sentence: 'message handled',
    fields: [...MESSAGE, 'type', 'milliseconds', 'outcome'],
    isTraffic: true,
  },
  message_refused: {
    area: 'messages',
    level: 'debug',
    sentence: 'message refused',
    fields: ['session', 'id', 'type', 'outcome'],
    isTraffic: true,
  },
  handler_failed: {
    area: 'messages',
    level: 'error',
    sentence: 'handler failed',
    fields: [...MESSAGE, 'where', 'err'],
  },
  event_failed: { area: 'messages', level: 'error', sentence: 'event failed', fields: ['where', 'err'] },
  event_outcomes: {
    area: 'messages',
    level: 'info',
    sentence: 'outcomes of an event',
    fields: ['outcomes'],
    isTraffic: true,
  },
  hook_failed: { area: 'channels', level: 'error', sentence: 'hook failed', fields: ['where', 'err'] },
  word_failed: {
    area: 'cluster',
    level: 'error',
    sentence: 'a message from another node could not be handled',
    fields: ['where', 'err'],
  },
  redis_gone: {
    area: 'cluster',
    level: 'warn',
    sentence: 'Redis is unreachable; this node keeps serving its own clients',
    fields: ['reason'],
  },
  redis_unreachable: {
    area: 'cluster',
    level: 'warn',
    sentence: 'Redis cannot be reached',
    fields: ['reason'],
  },
  ...PRIMARY_LINES,
  ...BACK_END_LINES,
  redis_refuses: {
    area: 'cluster',
    level: 'warn',
    sentence: 'Redis refuses commands',
    fields: ['fault', 'reason'],
    boundedBy: 'fault',
  },
  redis_accepts: {
    area: 'cluster',
    level: 'info',
    sentence: 'Redis accepts commands again',
    fields: ['fault'],
    boundedBy: 'fault',
  },
  redis_back: { area: 'cluster', level: 'info', sentence: 'Redis is back', fields: [] },
  api_refused: {
    area: 'api',
    level: 'info',
    sentence: 'API request refused',
    fields: ['status', 'address'],
    boundedBy: 'status',
  },
  api_failed: { area: 'api', level: 'error', sentence: 'API request failed', fields: ['where', 'err'] },
  tls_failed: {
    area: 'transport',
    level: 'info',
    sentence: 'TLS handshake failed',
    fields: ['reason', 'address'],
    boundedBy: 'reason',
  },
  http_failed: { area: 'transport', level: 'error', sentence: 'HTTP request failed', fields: ['err'] },
  certificate_loaded: { area: 'transport', level: 'info', sentence: 'certificate reloaded', fields: ['expiresAt'] },
  certificate_refused: {
    area: 'transport',
    level: 'error',
    sentence: 'cannot reload the TLS certificate; the current one stays in use',
    fields: ['reason'],
  },
  certificate_ending: {
    area: 'transport',
    level: 'warn',
    sentence: 'the TLS certificate expires soon',
    fields: ['expiresAt', 'days'],
  },
  certificate_expired: {
    area: 'transport',
    level: 'warn',
    sentence: 'the TLS certificate has expired',
    fields: ['expiresAt', 'days'],
  },
  audit_failed: {
    area: 'observability',
    level: 'error',
    sentence: 'cannot write the audit log',
    fields: ['file', 'reason'],
  },
  audit_recovered: {
    area: 'observability',
    level: 'info',
    sentence: 'writing the audit log again',
    fields: ['file', 'lost'],
  },
  log_file_failed: {
    area: 'observability',
    level: 'error',
    sentence: 'cannot write a log file',
    fields: ['file', 'reason'],
  },
  log_file_recovered: {
    area: 'observability',
    level: 'info',
    sentence: 'writing the log file again',
    fields: ['file', 'lost'],
  },
  spans_lost: {
    area: 'observability',
    level: 'warn',
    sentence: 'spans could not be exported',
    fields: ['reason', 'spans'],
  },
  heap_snapshot_begun: {
    area: 'observability',
    level: 'info',
    sentence: 'heap snapshot started',
    fields: ['cause', 'heapBytes', 'file'],
  },
  heap_snapshot_written: {
    area: 'observability',
    level: 'info',
    sentence: 'heap snapshot written',
    fields: ['cause', 'bytes', 'heldUpMs', 'file'],
  },
  heap_snapshot_refused: {
    area: 'observability',
    level: 'warn',
    sentence: 'skipped the automatic heap snapshot',
    fields: ['why'],
  },
  levels_changed: {
    area: 'observability',
    level: 'info',
    sentence: 'log levels changed',
    fields: ['levels', 'until', 'by'],
  },
} as const satisfies Record<string, LineDefinition>;

export type LogKind = keyof typeof LOG_LINES;

/** The fields of a line besides time, level, node, area and text. */
export type LogFields<Kind extends LogKind> = {
  readonly [Field in (typeof LOG_LINES)[Kind]['fields'][number]]?: unknown;
};

export function lineOf(kind: LogKind): LineDefinition {
  return LOG_LINES[kind];
}

/** Written at the end of a period with too many lines, at the level and in the area of the omitted lines. */
export const LEFT_OUT = 'log lines omitted';
