import type { DestinationStream } from 'pino';
import type { Settings } from '../../../config/settings.js';
import { LogOutput } from './log-output.js';
import { createLogger } from './logger.js';
import { Logs } from './logs.js';

/** The log of a server, from its first line to its last. */
export class Logging {
  private constructor(
    readonly logs: Logs,
    readonly output: LogOutput,
  ) {}

  /**
   * @param instead replaces standard output
   * @throws UnusableSettings if a file in LOG_DIR cannot be opened
   */
  static async open({ log, audit, server, tracing }: Settings, instead?: DestinationStream): Promise<Logging> {
    const hidesAudit = audit.log === 'auto' && server.environment !== 'production';
    const output = new LogOutput({ ...log, hidesAudit }, instead);
    // Loaded only if it is used, like all tracing code.
    const traceFields = tracing.exporter === 'none' ? undefined : (await import('./trace-fields.js')).traceFields;
    const logs = new Logs(createLogger(server, output.stream, traceFields), log);
    output.on('failed', (file, reason) => logs.write('log_file_failed', () => ({ file, reason })));
    output.on('recovered', (file, lost) => logs.write('log_file_recovered', () => ({ file, lost })));
    return new Logging(logs, output);
  }

  async close(): Promise<void> {
    this.logs.close();
    await this.output.close();
  }
}
