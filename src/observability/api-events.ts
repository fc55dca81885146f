import { EventEmitter } from 'node:events';

/** Who did what through the server API, and what came of it. */
export interface AuditEntry {
  /** The token's `sub`. */
  readonly who: string;
  readonly action: string;
  /** The channel, user, session, node or ban it was done to. */
  readonly target: string | undefined;
  /** `done`, or the status of the answer. */
  readonly outcome: 'done' | number;
}

interface ApiEventMap {
  /** A request was answered. `route` is one of a fixed set, so that it is safe as a label. */
  answered: [route: string, status: number];
  audited: [entry: AuditEntry];
  /** A request was refused before it came to a handler, for its token. */
  refused: [status: number, address: string];
  /** A handler threw what it should not have. */
  crashed: [where: string, exception: unknown];
}

/** What happens at the server API, for observers. Listeners must not throw. */
export class ApiEvents extends EventEmitter<ApiEventMap> {}
