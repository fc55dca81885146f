import { checkAppendableFile } from '../appendable-file.js';
import { integer, oneOf, optionalText } from '../setting.js';

/** Who came, what was refused, and what operators did. */
export const audit = {
  log: oneOf({
    env: 'AUDIT_LOG',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: an audit log is written, whatever LOG_LEVEL says. auto: as on, but outside production a terminal does not show its lines. off: there is none.',
  }),
  file: optionalText({
    env: 'AUDIT_FILE',
    unit: 'path',
    check: checkAppendableFile,
    effect:
      'Where the audit log is appended, as JSON lines; the file may be renamed or truncated while the server runs. Unset: among the lines of the log, each with "msg":"audit".',
  }),
  linesPerSource: integer({
    env: 'AUDIT_LINES_PER_SOURCE',
    fallback: 50,
    unit: 'lines in 10 s',
    effect:
      'Audit lines that one address, or one user, can cause; what is left out is counted and told at the end of the ten seconds. 0 = no limit.',
  }),
  linesPerGroup: integer({
    env: 'AUDIT_LINES_PER_GROUP',
    fallback: 5_000,
    unit: 'lines in 10 s',
    effect:
      'Audit lines that all clients together can cause, for refused connections, sessions, messages, automatic bans and the API each. 0 = no limit.',
  }),
} as const;
