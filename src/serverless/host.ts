import { setTimeout as wait } from 'node:timers/promises';
import type { Settings } from '../../config/settings.js';
import { ExternalEngine } from '../cluster/ports/external-engine.js';
import { AwsClients, type AwsServices } from './aws/aws-clients.js';
import { Database } from './aws/database.js';
import { ConnectionsTable } from './connections/connections-table.js';
import { SubscriptionsTable } from './connections/subscriptions-table.js';
import { FanOut } from './delivery/fan-out.js';
import { FunctionInvoker } from './delivery/function-invoker.js';
import { Poster } from './delivery/poster.js';
import { ServerlessEngine } from './engine/serverless-engine.js';
import type { Tables } from './tables.js';

export interface HostOptions {
  readonly settings: Settings;
  readonly tables: Tables;
  readonly services: AwsServices | undefined;
  readonly sleep?: ((milliseconds: number) => Promise<unknown>) | undefined;
}

/** What exists before the application: the tables, the posts, and the engine on them. */
export class ServerlessHost extends ExternalEngine {
  readonly connections: ConnectionsTable;
  readonly subscriptions: SubscriptionsTable;
  readonly poster: Poster;
  readonly fanOut: FanOut;
  readonly engine: ServerlessEngine;
  /** Waits before something is tried again. */
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** Cleans up after a connection that is closed. Set when the application starts. */
  onGone: (connectionId: string) => Promise<void> = async () => {};

  constructor({ settings, tables, services, sleep = wait }: HostOptions) {
    super();
    this.sleep = sleep;
    const clients = new AwsClients(services);
    const database = new Database(clients, sleep);
    this.connections = new ConnectionsTable(database, tables);
    this.subscriptions = new SubscriptionsTable(database, tables);
    this.poster = new Poster({ clients, sleep, onGone: (connectionId) => this.onGone(connectionId) });
    const { poster, subscriptions } = this;
    this.fanOut = new FanOut({ poster, subscriptions, invoker: new FunctionInvoker(clients) });
    const { serverId } = settings.server;
    const replayWindowMs = settings.replay.windowMs;
    this.engine = new ServerlessEngine({ database, tables, subscriptions, sleep, serverId, replayWindowMs });
  }
}
