import type { LoggerService } from '@nestjs/common';
import type { LogArea } from '../../../config/log-levels.js';
import type { LineFields } from './logger.js';
import type { WrittenLevel } from './log-lines.js';
import type { Logs } from './logs.js';

/** What Nest reports during the start matters only when you debug the start. */
const STARTING_CONTEXTS = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
  'WebSocketsController',
]);

/**
 * Contexts of Nest, and of stages that log by Nest's Logger. Every other context belongs to the application. A test
 * checks the stages.
 */
const AREAS: Readonly<Record<string, LogArea>> = {
  ...Object.fromEntries([...STARTING_CONTEXTS].map((context) => [context, 'nest' as const])),
  ExceptionHandler: 'nest',
  ExceptionsHandler: 'nest',
  Injector: 'nest',
  PackageLoader: 'nest',
  WsExceptionsHandler: 'nest',
  Drain: 'lifecycle',
  Gateways: 'messages',
  NodeRegistry: 'cluster',
  Overload: 'lifecycle',
  RemoteKeys: 'access',
  SharedPlaces: 'access',
};

/** Contexts of errors that Nest both logs and throws during the start. */
const START_ERROR_CONTEXTS = new Set(['ExceptionHandler', 'NestApplication']);

export function areaOf(context: string | undefined): LogArea {
  return (context === undefined ? undefined : AREAS[context]) ?? 'app';
}

/** Sends the lines of Nest, and of every `new Logger('context')`, to the log. */
export class NestLogger implements LoggerService {
  /** @param belongsTo fields of lines of the application: the message that they are about */
  constructor(
    private readonly logs: Logs,
    private readonly belongsTo?: LineFields,
  ) {}

  log(message: unknown, ...rest: unknown[]): void {
    const context = contextOf(rest);
    this.write(context !== undefined && STARTING_CONTEXTS.has(context) ? 'debug' : 'info', message, { context });
  }

  error(message: unknown, ...rest: unknown[]): void {
    const context = contextOf(rest);
    // The caller of the start gets the same error, and shows it once.
    if (START_ERROR_CONTEXTS.has(context ?? '')) return;
    const [stack] = rest.length > 1 ? rest : [];
    this.write('error', message, { context, ...(typeof stack === 'string' && { stack }) });
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, { context: contextOf(rest) });
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, { context: contextOf(rest) });
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, { context: contextOf(rest) });
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, { context: contextOf(rest) });
  }

  private write(level: WrittenLevel, given: unknown, origin: { readonly context: string | undefined }): void {
    const area = areaOf(origin.context);
    const { fields, message } = lineOf(given);
    const about = area === 'app' ? this.belongsTo?.() : undefined;
    this.logs.writeOther(area, level, { fields: { ...origin, ...about, ...fields }, message });
  }
}

/** An object with a `msg` is a text and its fields. */
function lineOf(given: unknown): { readonly fields: object; readonly message: string } {
  if (given instanceof Error) return { fields: { err: given }, message: given.message };
  if (typeof given !== 'object' || given === null) return { fields: {}, message: String(given) };
  const { msg, ...fields } = given as Record<string, unknown>;
  return typeof msg === 'string' ? { fields, message: msg } : { fields: { data: given }, message: '' };
}

/** Nest passes the context as the last argument. */
function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
