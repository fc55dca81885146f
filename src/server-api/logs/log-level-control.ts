import type { LogLevels } from '../../../config/log-levels.js';

export const LOG_LEVEL_CONTROL = Symbol('LogLevelControl');

export interface LogLevelState {
  /** In the form of LOG_LEVEL. */
  readonly levels: string;
  /** What that makes of each area. */
  readonly areas: LogLevels;
  /** LOG_LEVEL. */
  readonly configured: string;
  /** When the configured ones return, in milliseconds since 1970; absent: when the process is started anew. */
  readonly until?: number;
}

export interface LogLevelChange {
  readonly levels: string;
  /** After which the configured ones return; absent: never. */
  readonly seconds?: number | undefined;
  /** For the log: the user who did it. */
  readonly by: string;
}

/** The levels of this node's log. */
export interface LogLevelControl {
  readonly state: LogLevelState;

  /** @throws Error where the levels cannot be read */
  change(change: LogLevelChange): LogLevelState;

  /** Puts the configured levels again. */
  restore(by: string): LogLevelState;
}
