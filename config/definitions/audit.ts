import { checkAppendableFile } from '../appendable-file.js';
import { integer, oneOf, optionalText } from '../setting.js';

/** The audit log: clients, refusals and actions of operators. */
export const audit = {
  log: oneOf({
    env: 'AUDIT_LOG',
    values: ['auto', 'on', 'off'],
    fallback: 'auto',
    effect:
      'on: the server writes an audit log, whatever LOG_LEVEL is. auto: the same, but outside production a terminal does not show its lines. off: no audit log.',
  }),
  file: optionalText({
    env: 'AUDIT_FILE',
    unit: 'path',
    check: checkAppendableFile,
    effect:
      'File to which the audit log is appended as JSON lines. You may rename or truncate it while the server runs. Unset: the lines are in the log, each with "msg":"audit".',
  }),
  linesPerSource: integer({
    env: 'AUDIT_LINES_PER_SOURCE',
    fallback: 50,
    unit: 'lines in 10 s',
    effect:
      'Audit lines that one address, or one user, can cause. Further lines are counted and reported at the end of the ten seconds. 0 = no limit.',
  }),
  linesPerGroup: integer({
    env: 'AUDIT_LINES_PER_GROUP',
    fallback: 5_000,
    unit: 'lines in 10 s',
    effect:
      'Audit lines that all clients together can cause in each group: refused connections, sessions, messages, automatic bans, and the API. 0 = no limit.',
  }),
} as const;
