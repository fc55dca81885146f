import { BANS } from '../../cluster/ports/ban-store.js';
import { ClusterEngine } from '../../cluster/ports/cluster-engine.js';
import { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import { ConnectionDirectory } from '../../cluster/ports/connection-directory.js';
import { ANSWER_LIFE_MS } from '../../cluster/ports/answer-store.js';
import { lifeOfIds } from '../../cluster/ports/replay-store.js';
import { REVOCATIONS } from '../../cluster/ports/revocation-store.js';
import type { Database } from '../aws/database.js';
import type { SubscriptionsTable } from '../connections/subscriptions-table.js';
import type { Tables } from '../tables.js';
import { AbsentCounts, AbsentNodes, AbsentRecords, AbsentStates } from './absent-stores.js';
import { TableAnswers } from './table-answers.js';
import { TableBroker } from './table-broker.js';
import { TableBus } from './table-bus.js';
import { TablePresence } from './table-presence.js';

export interface EngineParts {
  readonly database: Database;
  readonly tables: Tables;
  readonly subscriptions: SubscriptionsTable;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  readonly serverId: string;
  readonly replayWindowMs: number;
}

/** The ports of the cluster on DynamoDB, for one function. */
export class ServerlessEngine extends ClusterEngine {
  readonly answers: TableAnswers;
  readonly bans = new AbsentRecords<never>(BANS.list);
  readonly broker: TableBroker;
  readonly bus = new TableBus();
  readonly counts = new AbsentCounts();
  readonly events = new ClusterEvents();
  readonly directory: ConnectionDirectory;
  readonly presence: TablePresence;
  readonly registry: AbsentNodes;
  readonly replays: TableAnswers;
  readonly revocations = new AbsentRecords<never>(REVOCATIONS.list);
  readonly state = new AbsentStates();
  readonly link = undefined;
  readonly backlog = undefined;

  constructor({ database, tables, subscriptions, sleep, serverId, replayWindowMs }: EngineParts) {
    super();
    const table = tables.channels;
    const replayMs = lifeOfIds(replayWindowMs);
    // As long as an answer: what was claimed may have been carried out, also if its invocation ended before it said so.
    this.answers = new TableAnswers(database, table, { pendingMs: ANSWER_LIFE_MS, answeredMs: ANSWER_LIFE_MS });
    // A protected message must not be handled again, also if its first invocation was lost.
    this.replays = new TableAnswers(database, table, { pendingMs: replayMs, answeredMs: replayMs });
    this.broker = new TableBroker({ database, table, answers: this.answers, sleep });
    this.presence = new TablePresence(subscriptions);
    this.registry = new AbsentNodes(serverId);
    this.directory = new ConnectionDirectory({ link: undefined, registry: this.registry, events: this.events });
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {}
}
