import type { AuditEvent } from './audit-catalogue.js';

/** Who caused a line: clients, or operators and the server itself. */
export const AUDIT_CAUSES = ['server', 'clients'] as const;
export type AuditCause = (typeof AUDIT_CAUSES)[number];

export interface AuditLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly cause: AuditCause;
  readonly event: AuditEvent;
  /** As docs/audit.md lists them: no token, no payload, and text of clients is cut. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Lines of each cause. Counted apart, so that clients cannot push out what operators did. */
export const KEPT_LINES = 500;

/** The newest lines of the audit log, in memory. They do not replace the log: they end with the process. */
export class AuditTail {
  private readonly lines: Record<AuditCause, AuditLine[]> = { server: [], clients: [] };

  add(cause: AuditCause, event: AuditEvent, fields: object): void {
    const lines = this.lines[cause];
    lines.push({ at: Date.now(), cause, event, fields: fields as AuditLine['fields'] });
    if (lines.length > KEPT_LINES) lines.shift();
  }

  /**
   * The newest lines, the newest first.
   *
   * @param cause undefined: of both
   */
  newest(limit: number, cause?: AuditCause): readonly AuditLine[] {
    const causes = cause === undefined ? AUDIT_CAUSES : [cause];
    const lines = causes.flatMap((one) => this.lines[one].slice(-limit));
    return lines.sort((left, right) => right.at - left.at).slice(0, limit);
  }
}
