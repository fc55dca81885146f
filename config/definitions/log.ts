import { checkLogFolder } from '../appendable-file.js';
import { readLogLevels } from '../log-levels.js';
import { bytes, integer, oneOf, optionalText, text } from '../setting.js';

/** The log and its files. */
export const log = {
  level: text({
    env: 'LOG_LEVEL',
    fallback: 'info',
    unit: 'a level, then area=level; trace | debug | info | warn | error | fatal | silent',
    check: readLogLevels,
    effect:
      'The lowest level that is written, and other levels for some areas: info,connections=warn,messages=debug. debug adds a line per message. The API changes it at run time.',
  }),
  format: oneOf({
    env: 'LOG_FORMAT',
    values: ['auto', 'json', 'pretty'],
    fallback: 'auto',
    effect: 'auto: pretty on a terminal, JSON elsewhere.',
  }),
  burstLines: integer({
    env: 'LOG_BURST_LINES',
    fallback: 20,
    unit: 'lines in 10 s',
    effect:
      'Lines of one kind about problems, such as upgrades refused for one reason. Further lines are counted and reported at the end of the ten seconds. 0 = no limit.',
  }),
  trafficLines: integer({
    env: 'LOG_TRAFFIC_LINES',
    fallback: 5_000,
    unit: 'lines in 10 s',
    effect:
      'Lines of one kind about ordinary traffic: sessions that open, sessions that close, messages at debug, lines of the application at one level. 0 = no limit.',
  }),
  correlation: oneOf({
    env: 'LOG_CORRELATION',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: lines that handlers write with Nest’s Logger have the session and the message id, also after an await. On Node 20 and 22 this makes every promise slower. auto: on with tracing, which has that cost already.',
  }),
  dir: optionalText({
    env: 'LOG_DIR',
    unit: 'path',
    check: checkLogFolder,
    effect:
      'Folder for combined.log (every line of the log) and error.log (error and fatal), as JSON lines in addition to standard output. Give each node its own. Unset: no files.',
  }),
  fileMaxBytes: bytes({
    env: 'LOG_FILE_MAX_BYTES',
    fallback: 20_971_520,
    min: 65_536,
    effect: 'Size at which a file in LOG_DIR is renamed to combined.log.1 or error.log.1 and a new file begins.',
  }),
  filesKept: integer({
    env: 'LOG_FILES_KEPT',
    fallback: 5,
    unit: 'files',
    min: 1,
    max: 100,
    effect: 'Old files kept of each file in LOG_DIR. When another is added, the oldest is removed.',
  }),
} as const;
