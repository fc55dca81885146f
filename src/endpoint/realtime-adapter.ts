import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Subprotocol } from '@gatehouse/protocol';
import { InboundBudget } from '../socket/inbound-budget.js';
import { CLOSE_TIMEOUT_MS } from '../socket/close-timeout.js';
import { Connection } from '../socket/connection.js';
import type { Upgrade } from '../upgrade/decision.js';
import { PendingConnections } from '../upgrade/pending/pending-connections.js';
import { UpgradeTurns } from '../upgrade/pending/upgrade-turns.js';
import { isForeignUpgrade, pathOf } from '../upgrade/ladder/request-target.js';
import { normalizePath } from '../dispatch/calls/nest-internals.js';
import { DispatchEvents } from '../dispatch/dispatch-events.js';
import { chosenSubprotocol } from './complete-upgrade.js';
import { Handshakes, type Endpoint } from './handshakes.js';
import { SessionOpener, type Receive } from './session-opener.js';

export interface RealtimeAdapterSettings {
  /** WS_PATH, for gateways without a path of their own. */
  readonly path: string;
  readonly maxMessageBytes: number;
  /** 0: a message may have any number of frames. */
  readonly maxFragments: number;
  /** 0: compression is not offered, except for lists. */
  readonly compressFromBytes: number;
  /** 0: compression is not offered to clients that take lists of messages. */
  readonly compressBatchesFromBytes: number;
}

interface GatewayOptions {
  readonly path?: string;
  readonly namespace?: string;
}

/**
 * No message refers to an earlier one, so one compressed frame serves all clients, and idle connections need no memory
 * for it.
 */
const WITHOUT_CONTEXT_TAKEOVER = { serverNoContextTakeover: true, clientNoContextTakeover: true };

/** The least that reads of one frame hold on average: what comes byte by byte takes 200 bytes of memory a byte. */
const MIN_READ_BYTES = 512;
/** Reads that even a short message may take. */
const FREE_READS = 4_096;

/**
 * Puts our path (upgrade, handshake, session, dispatch) under Nest's own gateway decorators. Nest still finds gateways,
 * sets @WebSocketServer() properties and calls afterInit, but no longer binds anything to each connection.
 */
export class RealtimeAdapter extends WsAdapter {
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly turns = new UpgradeTurns();
  private readonly pendingConnections: PendingConnections;
  private readonly handshakes: Handshakes;
  private readonly opener: SessionOpener;
  private readonly inboundBudget: InboundBudget;
  private readonly events: DispatchEvents;
  private readonly http: Server;
  private readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.isForAnother(request)) return;
    const upgrade = { request, socket, head, arrivedAt: Date.now() };
    // So that it does not count as silent until its turn comes.
    this.pendingConnections.heard(socket);
    this.turns.take(socket, () => this.serve(upgrade));
  };

  constructor(
    app: INestApplication<Server>,
    private readonly settings: RealtimeAdapterSettings,
  ) {
    super(app);
    this.handshakes = app.get(Handshakes);
    this.pendingConnections = app.get(PendingConnections);
    this.opener = app.get(SessionOpener);
    this.inboundBudget = app.get(InboundBudget);
    this.events = app.get(DispatchEvents);
    this.http = app.getHttpServer();
    this.http.on('upgrade', this.onUpgrade);
  }

  private serve(upgrade: Upgrade): void {
    this.handshakes.serve(upgrade, this.endpoints, this.http).catch((exception: unknown) => {
      this.events.crash('upgrade', exception);
      upgrade.socket.destroy();
    });
  }

  /**
   * Whether a host application has another upgrade listener, such as a bundler's or a WebSocket server's, for a path
   * that is not ours. An offer of another protocol than WebSocket would get no answer from it.
   */
  private isForAnother(request: IncomingMessage): boolean {
    if (this.http.listenerCount('upgrade') <= 1 || isForeignUpgrade(request)) return false;
    return !this.endpoints.has(pathOf(request));
  }

  /** Made for the first client, when the message tables are compiled. */
  private receiverAt(path: string): Receive {
    let receive: Receive | undefined;
    return (accepted, connection) => {
      receive ??= this.opener.at(path === this.settings.path ? '' : path);
      this.inboundBudget.wake();
      receive(accepted, connection);
    };
  }

  /** One WebSocket server for each path, shared by all its gateways. */
  override create(port: number, options: GatewayOptions = {}): WebSocketServer {
    if (port !== 0)
      throw new Error(
        `@WebSocketGateway(${port}) sets a port, but all gateways share the port of the application. Remove the port`,
      );
    if (options.namespace !== undefined)
      throw new Error(
        `A gateway sets the namespace ${options.namespace}. Namespaces are not supported; set a path instead`,
      );
    const path = options.path === undefined ? this.settings.path : normalizePath(options.path);
    const present = this.endpoints.get(path);
    if (present) return present.server;

    const server = new WebSocketServer({
      noServer: true,
      WebSocket: Connection,
      maxPayload: this.settings.maxMessageBytes,
      maxFragments: this.settings.maxFragments,
      maxBufferedChunks: FREE_READS + Math.ceil(this.settings.maxMessageBytes / MIN_READ_BYTES),
      // Connection answers pings: bounded, counted, and in one write with everything else that leaves.
      autoPong: false,
      perMessageDeflate: WITHOUT_CONTEXT_TAKEOVER,
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: chosenSubprotocol,
    });
    // A listener keeps `ws` from answering requests that it refuses. Handshakes answers and counts them.
    server.on('wsClientError', () => {});
    this.inboundBudget.watch(server.clients);
    this.endpoints.set(path, {
      server,
      compresses: (subprotocol) => this.compresses(subprotocol),
      receive: this.receiverAt(path),
    });
    return server;
  }

  private compresses(subprotocol: Subprotocol | undefined): boolean {
    const { compressFromBytes, compressBatchesFromBytes } = this.settings;
    return (subprotocol === 'v1.json.batch' ? compressBatchesFromBytes : compressFromBytes) > 0;
  }

  /** Nest would bind every handler of every gateway to every connection: 86 KiB each with ten gateways. */
  override bindClientConnect(): void {}

  override bindMessageHandlers(): void {}

  override async close(server: WebSocketServer): Promise<void> {
    for (const client of server.clients) client.terminate();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  override async dispose(): Promise<void> {
    this.http.off('upgrade', this.onUpgrade);
    await super.dispose();
  }
}
