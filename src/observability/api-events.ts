import { EventEmitter } from 'node:events';

/** Who did what through the server API, and the outcome. */
export interface AuditEntry {
  /** The token's `sub`. */
  readonly who: string;
  readonly action: string;
  /** The channel, user, session, node or ban that was the target. */
  readonly target: string | undefined;
  /** `done`, or the status of the response. */
  readonly outcome: 'done' | number;
}

interface ApiEventMap {
  /** A request was answered. `route` is from a fixed set, so it is safe as a label. */
  answered: [route: string, status: number];
  audited: [entry: AuditEntry];
  /** A request was refused before it reached a handler, because of its token. */
  refused: [status: number, address: string];
  /** A handler threw an unexpected error. */
  crashed: [where: string, exception: unknown];
}

/** Events of the server API, for observers. Listeners must not throw. */
export class ApiEvents extends EventEmitter<ApiEventMap> {}
