/** Lines that clients can cause. Each group has its own limit, so that none can hide another. */
export const AUDIT_GROUPS = ['refusal', 'session', 'message', 'ban', 'api', 'hook'] as const;
export type AuditGroup = (typeof AUDIT_GROUPS)[number];

interface AuditDefinition {
  /** Undefined if only operators or the server cause it. Such lines are always written. */
  readonly group?: AuditGroup;
  readonly fields: readonly string[];
}

const SESSION = ['session', 'user', 'address'] as const;

/**
 * Every event of the audit log with its possible fields. docs/audit.md explains them, and a test compares. Names are
 * never reused, because operators search for them.
 */
export const AUDIT_EVENTS = {
  started: { fields: ['version', 'settings'] },
  stopped: { fields: [] },
  connection_accepted: {
    group: 'session',
    fields: [...SESSION, 'anonymous', 'roles', 'protocol', 'auth', 'credential', 'token', 'expires', 'origin', 'path'],
  },
  connection_refused: { group: 'refusal', fields: ['reason', 'address', 'user', 'credential', 'origin', 'path'] },
  connection_cut: { group: 'refusal', fields: ['reason', 'address'] },
  connection_closed: { group: 'session', fields: [...SESSION, 'code', 'durationMs'] },
  auth_refreshed: { group: 'message', fields: [...SESSION, 'roles', 'token', 'formerToken', 'expires'] },
  auth_refresh_refused: { group: 'message', fields: [...SESSION, 'code'] },
  rights_changed: { group: 'message', fields: [...SESSION, 'roles', 'formerRoles'] },
  subscription_dropped: { group: 'message', fields: [...SESSION, 'channel', 'lost'] },
  message_refused: { group: 'message', fields: [...SESSION, 'type', 'code'] },
  rule_broken: { group: 'session', fields: [...SESSION, 'reason'] },
  banned: { group: 'ban', fields: ['kind', 'key', 'until', 'reason', 'by'] },
  ban_lifted: { fields: ['kind', 'key'] },
  session_expelled: { group: 'session', fields: [...SESSION] },
  drain_begun: { fields: ['sessions', 'reconnectWindowMs'] },
  drain_finished: { fields: ['durationMs', 'cut'] },
  back_end_decided: { group: 'hook', fields: [...SESSION, 'hook', 'endpoint', 'verdict', 'code', 'target'] },
  api_call: { fields: ['who', 'action', 'target', 'outcome'] },
  api_refused: { group: 'api', fields: ['status', 'address'] },
  left_out: { fields: ['group', 'source', 'sources', 'leftOut'] },
  lines_lost: { fields: ['lost'] },
} as const satisfies Record<string, AuditDefinition>;

export type AuditEvent = keyof typeof AUDIT_EVENTS;

type FieldOf<Event extends AuditEvent> = (typeof AUDIT_EVENTS)[Event]['fields'][number];
type AuditValue = string | number | boolean | readonly string[] | Readonly<Record<string, unknown>> | null | undefined;

/** Events of one session, which have its id, user and address. */
export type SessionAuditEvent = {
  [Event in AuditEvent]: 'session' extends FieldOf<Event> ? Event : never;
}[AuditEvent];

/** The content of a line besides time, level, node and name. */
export type AuditFields<Event extends AuditEvent> = { readonly [Field in FieldOf<Event>]?: AuditValue };

/** The group of an event that clients can cause; undefined for all others. */
export function groupOf(event: AuditEvent): AuditGroup | undefined {
  const definition: AuditDefinition = AUDIT_EVENTS[event];
  return definition.group;
}
