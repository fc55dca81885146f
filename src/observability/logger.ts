import type { LoggerService } from '@nestjs/common';
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Settings } from '../../config/settings.js';

type LogSettings = Pick<Settings, 'log' | 'server'>;

/** What Nest says of itself while it starts is of interest only to whoever debugs that. */
const NEST_CONTEXTS = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
  'WebSocketsController',
]);

/** Where Nest logs what it also throws out of the start. */
const START_ERROR_CONTEXTS = new Set(['ExceptionHandler', 'NestApplication']);

/** The one logger of the process. JSON lines on stdout, coloured text on a terminal. */
export function createLogger({ log, server }: LogSettings, destination?: DestinationStream): Logger {
  const isPretty = log.format === 'pretty' || (log.format === 'auto' && process.stdout.isTTY);
  const options = {
    level: log.level,
    base: isPretty ? {} : { node: server.serverId },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (destination) return pino(options, destination);
  return isPretty ? pino(options, pretty({ sync: true, singleLine: true, ignore: 'pid,hostname' })) : pino(options);
}

/** Lets Nest, and every `new Logger('context')`, write through the one logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    const context = contextOf(rest);
    this.write(context !== undefined && NEST_CONTEXTS.has(context) ? 'debug' : 'info', message, context);
  }

  error(message: unknown, ...rest: unknown[]): void {
    // Whoever starts the server is given the same error, and shows it once.
    if (START_ERROR_CONTEXTS.has(contextOf(rest) ?? '')) return;
    const [stack] = rest.length > 1 ? rest : [];
    this.write('error', message, contextOf(rest), typeof stack === 'string' ? stack : undefined);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, contextOf(rest));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, contextOf(rest));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, contextOf(rest));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, contextOf(rest));
  }

  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    context?: string,
    stack?: string,
  ): void {
    const fields = message instanceof Error ? { context, err: message } : { context, stack };
    this.logger[level](fields, message instanceof Error ? message.message : String(message));
  }
}

/** Nest passes the context as the last argument. */
function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
