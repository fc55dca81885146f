import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { multistream, type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import { LOG_FILES } from '../../../config/appendable-file.js';
import type { Settings } from '../../../config/settings.js';
import { LineFile } from './line-file.js';
import { LineWriter } from './line-writer.js';
import { Tally } from '../metrics/tally.js';

interface LogSettings extends Readonly<Settings['log']> {
  /** Whether a terminal does not show lines of the audit log. Files and programs always get them. */
  readonly hidesAudit?: boolean;
}

interface LogOutputEvents {
  /** An output cannot be written any more. The other outputs can report it. */
  failed: [file: string, reason: string];
  recovered: [file: string, lost: number];
}

/** Bytes that may wait for a slow disk, and for the reader of standard output. About 12,000 lines each. */
const MAX_WAITING_BYTES = 4_194_304;
const STANDARD_OUTPUT = 'stdout';
/** The end of an audit line as pino writes it. */
const AUDIT_END = '"msg":"audit"}\n';
/** pino uses a number for each level. */
const ERROR_LEVEL = 50;

/** The outputs of the log: standard output, and the files in LOG_DIR. */
export class LogOutput extends EventEmitter<LogOutputEvents> {
  readonly failures = new Tally();
  readonly lost = new Tally();
  readonly stream: DestinationStream;
  private readonly writers = new Map<string, LineWriter>();

  /**
   * @param instead replaces standard output
   * @throws UnusableSettings if a file cannot be opened
   */
  constructor(settings: LogSettings, instead?: DestinationStream) {
    super();
    const console = instead ?? this.console(settings);
    const { dir } = settings;
    if (dir === undefined) {
      this.stream = console;
      return;
    }
    const combined = this.file(LOG_FILES.combined, settings);
    const errors = this.file(LOG_FILES.errors, settings);
    this.stream = multistream([
      { stream: console, level: 0 },
      { stream: combined, level: 0 },
      { stream: errors, level: ERROR_LEVEL },
    ]);
  }

  /** Bytes that wait for the outputs. */
  get waitingBytes(): number {
    return [...this.writers.values()].reduce((sum, writer) => sum + writer.waitingBytes, 0);
  }

  async close(): Promise<void> {
    await Promise.all([...this.writers.values()].map((writer) => writer.close()));
  }

  private console({ format, hidesAudit }: LogSettings): DestinationStream {
    if (isForPeople(format)) {
      const terminal = pretty({ sync: true, singleLine: true, ignore: 'pid,hostname,node' });
      return hidesAudit ? withoutAudit(terminal) : terminal;
    }
    return this.watched(STANDARD_OUTPUT, new LineWriter(process.stdout.fd, MAX_WAITING_BYTES));
  }

  private file(name: string, { dir = '.', fileMaxBytes, filesKept }: LogSettings): LineWriter {
    const options = {
      setting: `LOG_DIR: ${name}`,
      rotation: { maxBytes: fileMaxBytes, kept: filesKept },
      maxWaitingBytes: MAX_WAITING_BYTES,
    };
    return this.watched(name, new LineFile(join(dir, name), options));
  }

  private watched(name: string, writer: LineWriter): LineWriter {
    this.failures.add(name, 0);
    this.lost.add(name, 0);
    writer.on('refused', () => this.failures.add(name));
    writer.on('dropped', () => this.lost.add(name));
    writer.on('failed', (reason) => this.emit('failed', name, reason));
    writer.on('recovered', (lost) => this.emit('recovered', name, lost));
    this.writers.set(name, writer);
    return writer;
  }
}

/** Whether standard output is written for people: on a terminal, or if LOG_FORMAT says so. */
export function isForPeople(format: Settings['log']['format']): boolean {
  return format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
}

function withoutAudit(stream: DestinationStream): DestinationStream {
  return { write: (line) => void (line.endsWith(AUDIT_END) || stream.write(line)) };
}
