import type { Logger } from 'pino';
import { LOG_AREAS, readLogLevels, type LogArea, type LogLevel, type LogLevels } from '../../../config/log-levels.js';
import type { Settings } from '../../../config/settings.js';
import { BurstGuard, type BoundedKind } from './burst-guard.js';
import { LEFT_OUT, lineOf, type LogFields, type LogKind, type WrittenLevel } from './log-lines.js';

type LogSettings = Pick<Settings['log'], 'level' | 'burstLines' | 'trafficLines'>;

/** The log levels of this node. */
export interface LogLevelState {
  /** In the form of LOG_LEVEL. */
  readonly levels: string;
  /** The resulting level of each area. */
  readonly areas: LogLevels;
  /** The value of LOG_LEVEL. */
  readonly configured: string;
  /** When LOG_LEVEL applies again, in milliseconds since 1970. Absent: when the process restarts. */
  readonly until?: number;
}

export interface LogLevelChange {
  readonly levels: string;
  /** Milliseconds after which LOG_LEVEL applies again. Absent: never. */
  readonly seconds?: number | undefined;
  /** The user who changed it, for the log. */
  readonly by: string;
}

/** Starts to listen for events of a kind of line. */
export interface Listening {
  readonly begin: () => void;
  readonly end: () => void;
}

interface Follower extends Listening {
  readonly kind: LogKind;
  isOn: boolean;
}

interface LineKind extends BoundedKind {
  readonly area: LogArea;
  readonly level: WrittenLevel;
}

/** The log: a logger for each area, with a level that can change at run time, and a limit for every kind of line. */
export class Logs {
  private readonly loggers: ReadonlyMap<LogArea, Logger>;
  private readonly guard = new BurstGuard((kind, leftOut) => this.tellLeftOut(kind as LineKind, leftOut));
  private readonly followers: Follower[] = [];
  private levels: LogLevels;
  private text: string;
  private until: number | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param root writes every line that it gets, whatever its level */
  constructor(
    readonly root: Logger,
    private readonly settings: LogSettings,
  ) {
    this.text = settings.level;
    this.levels = readLogLevels(settings.level);
    const areas = Object.keys(LOG_AREAS) as LogArea[];
    this.loggers = new Map(areas.map((area) => [area, root.child({ area }, { level: this.levels[area] })]));
  }

  /** Number of omitted lines so far, by kind. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.guard.leftOut;
  }

  get state(): LogLevelState {
    const { text, levels, until, settings } = this;
    return { levels: text, areas: levels, configured: settings.level, ...(until !== undefined && { until }) };
  }

  of(area: LogArea): Logger {
    return this.loggers.get(area) ?? this.root;
  }

  isWritten(kind: LogKind): boolean {
    const { area, level } = lineOf(kind);
    return this.of(area).isLevelEnabled(level);
  }

  /**
   * Writes a line, unless its level is off or its kind has used up its lines.
   *
   * @param fieldsOf called only if the line is written
   */
  write<Kind extends LogKind>(kind: Kind, fieldsOf: () => LogFields<Kind>): void {
    if (!this.isWritten(kind)) return;
    const { area, level, sentence, isTraffic, boundedBy } = lineOf(kind);
    const { burstLines, trafficLines } = this.settings;
    // Needed to find the limit. Cheap, because kinds with separate limits have few fields.
    const told = boundedBy && (fieldsOf() as Record<string, unknown>);
    const of = boundedBy && String(told?.[boundedBy]);
    const bounded: LineKind = { kind, of, area, level };
    if (!this.guard.allows(bounded, isTraffic ? trafficLines : burstLines)) return;
    this.of(area)[level](told ?? fieldsOf(), sentence);
  }

  /** A line without a kind, of Nest or of the application. */
  writeOther(area: LogArea, level: WrittenLevel, line: { readonly fields: object; readonly message: string }): void {
    const logger = this.of(area);
    if (!logger.isLevelEnabled(level)) return;
    const kind: LineKind = { kind: `${area}_${level}`, area, level };
    if (this.guard.allows(kind, this.settings.trafficLines)) logger[level](line.fields, line.message);
  }

  /** Listens only while lines of this kind are written, so that they cost nothing otherwise. */
  follow(kind: LogKind, listening: Listening): void {
    const follower = { ...listening, kind, isOn: false };
    this.followers.push(follower);
    this.attend(follower);
  }

  /** @throws Error if the levels cannot be parsed */
  change({ levels, seconds, by }: LogLevelChange): LogLevelState {
    const read = readLogLevels(levels);
    clearTimeout(this.timer);
    this.timer = undefined;
    this.until = undefined;
    if (seconds !== undefined) {
      this.until = Date.now() + seconds * 1_000;
      this.timer = setTimeout(() => this.restore('the end of their time'), seconds * 1_000).unref();
    }
    const line = (): LogFields<'levels_changed'> => ({ levels, until: this.until && dateOf(this.until), by });
    // Written if the old or the new level allows it.
    const isTold = this.isWritten('levels_changed');
    if (isTold) this.write('levels_changed', line);
    this.text = levels;
    this.apply(read);
    if (!isTold) this.write('levels_changed', line);
    return this.state;
  }

  /** Applies LOG_LEVEL again. */
  restore(by: string): LogLevelState {
    return this.change({ levels: this.settings.level, by });
  }

  /** Reports omitted lines that have not been reported yet. */
  close(): void {
    clearTimeout(this.timer);
    this.guard.close();
  }

  private apply(levels: LogLevels): void {
    this.levels = levels;
    for (const [area, level] of Object.entries(levels) as [LogArea, LogLevel][]) this.of(area).level = level;
    for (const follower of this.followers) this.attend(follower);
  }

  private attend(follower: Follower): void {
    const isWanted = this.isWritten(follower.kind);
    if (isWanted === follower.isOn) return;
    follower.isOn = isWanted;
    if (isWanted) follower.begin();
    else follower.end();
  }

  private tellLeftOut({ kind, of, area, level }: LineKind, leftOut: number): void {
    this.of(area)[level]({ kind, of, leftOut }, LEFT_OUT);
  }
}

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
