import { checkLogFolder } from '../appendable-file.js';
import { readLogLevels } from '../log-levels.js';
import { bytes, integer, oneOf, optionalText, text } from '../setting.js';

/** What is logged, and where. */
export const log = {
  level: text({
    env: 'LOG_LEVEL',
    fallback: 'info',
    unit: 'a level, then area=level; trace | debug | info | warn | error | fatal | silent',
    check: readLogLevels,
    effect:
      'The least important line that is written, and of some areas another one: info,connections=warn,messages=debug. debug adds a line per message. The API changes it at run time.',
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
      'Lines of one kind about what goes wrong, such as refused upgrades of one reason; what is left out is counted and told at the end of the ten seconds. 0 = no limit.',
  }),
  trafficLines: integer({
    env: 'LOG_TRAFFIC_LINES',
    fallback: 5_000,
    unit: 'lines in 10 s',
    effect:
      'Lines of one kind about what is ordinary: sessions that open, sessions that close, messages at debug, lines of the application at one level. 0 = no limit.',
  }),
  correlation: oneOf({
    env: 'LOG_CORRELATION',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: lines that handlers write with Nest’s Logger have the session and the message id, also behind an await; on Node 20 and 22 this makes every promise dearer. auto: on where there is tracing, which has that price already.',
  }),
  dir: optionalText({
    env: 'LOG_DIR',
    unit: 'path',
    check: checkLogFolder,
    effect:
      'A folder for combined.log, with every line of the log, and error.log, with those of error and fatal: JSON lines, beside standard output. Each node needs one of its own. Unset: no files.',
  }),
  fileMaxBytes: bytes({
    env: 'LOG_FILE_MAX_BYTES',
    fallback: 20_971_520,
    min: 65_536,
    effect: 'Size at which a file in LOG_DIR becomes combined.log.1, or error.log.1, and a new one is begun.',
  }),
  filesKept: integer({
    env: 'LOG_FILES_KEPT',
    fallback: 5,
    unit: 'files',
    min: 1,
    max: 100,
    effect: 'Former files that are kept of each file in LOG_DIR; the oldest goes when one more is begun.',
  }),
} as const;
