import { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { ClusterSettings } from '../cluster-settings.js';
import { MemoryAnswerStore } from '../memory/memory-answer-store.js';
import { MemoryRecordStore } from '../memory/memory-record-store.js';
import { MemoryReplayStore } from '../memory/memory-replay-store.js';
import { BANS } from '../ports/ban-store.js';
import { newEpoch } from '../ports/epoch.js';
import { LEASE_MS } from '../ports/node-registry.js';
import { lifeOfIds } from '../ports/replay-store.js';
import { REVOCATIONS } from '../ports/revocation-store.js';
import { HostBroker } from './host-broker.js';
import { HostConnection } from './host-connection.js';
import { HostCounts } from './host-counts.js';
import { METHODS } from './host-methods.js';
import type { HostNode } from './host-node.js';
import { HostNodes } from './host-nodes.js';
import { HostPresence } from './host-presence.js';
import { HostState } from './host-state.js';
import type { HostStores } from './host-stores.js';
import { openSocket } from './host-socket.js';

/** Bytes that a worker has not read. Beyond it, its connection is cut: it connects again and reads what it missed. */
const MAX_WAITING_BYTES = 134_217_728;

export interface EngineHostOptions extends Pick<ClusterSettings, 'historyBudgetBytes' | 'stateBudgetBytes' | 'replay'> {
  /** Where the unix socket is. */
  readonly path: string;
  readonly leaseMs?: number;
  /** Bytes that a worker may leave unread before its connection is cut. */
  readonly maxWaitingBytes?: number;
}

interface EngineHostEvents {
  /** The connection to a worker that read too slowly was cut. It connects again, and its clients recover. */
  overrun: [];
  /** A call failed for a reason that has no name. */
  crashed: [method: string, exception: unknown];
}

/** The engine in memory for several workers on this machine: the primary's end of the unix socket. */
export class EngineHost extends EventEmitter<EngineHostEvents> implements HostStores {
  readonly life = newEpoch();
  readonly answers = new MemoryAnswerStore();
  readonly bans = new MemoryRecordStore(BANS);
  readonly revocations = new MemoryRecordStore(REVOCATIONS);
  readonly presence = new HostPresence();
  readonly broker: HostBroker;
  readonly counts: HostCounts;
  readonly nodes: HostNodes;
  readonly replays: MemoryReplayStore;
  readonly state: HostState;
  private readonly connections = new Set<HostConnection>();
  private readonly maxWaitingBytes: number;
  private server: Server | undefined;

  private constructor({
    historyBudgetBytes,
    stateBudgetBytes,
    replay,
    leaseMs = LEASE_MS,
    maxWaitingBytes = MAX_WAITING_BYTES,
  }: Omit<EngineHostOptions, 'path'>) {
    super();
    this.maxWaitingBytes = maxWaitingBytes;
    this.broker = new HostBroker(historyBudgetBytes);
    this.state = new HostState(this.broker, stateBudgetBytes);
    this.replays = new MemoryReplayStore(lifeOfIds(replay.windowMs), replay.budgetBytes);
    this.nodes = new HostNodes(leaseMs, (node) => this.clearUpAfter(node));
    this.counts = new HostCounts(this.nodes);
  }

  /** @throws UnusableSettings if the socket cannot be opened */
  static async open({ path, ...options }: EngineHostOptions): Promise<EngineHost> {
    const host = new EngineHost(options);
    try {
      host.server = await openSocket(path, (socket) => host.accept(socket));
      return host;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** The number of connected workers. */
  get size(): number {
    return this.connections.size;
  }

  /** Bytes that workers have not read. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const connection of this.connections) bytes += connection.waitingBytes;
    return bytes;
  }

  async close(): Promise<void> {
    this.server?.close();
    for (const connection of this.connections) connection.close();
    this.nodes.close();
    this.state.close();
    await this.broker.close();
  }

  private accept(socket: Socket): void {
    const connection: HostConnection = new HostConnection(socket, {
      maxWaitingBytes: this.maxWaitingBytes,
      carryOut: (method, parameters) => {
        const action = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
        if (action === undefined) throw new Error(`The engine has no method ${method}`);
        return action({ host: this, connection }, parameters);
      },
      overrun: () => this.emit('overrun'),
      crashed: (method, exception) => this.emit('crashed', method, exception),
      closed: () => {
        this.connections.delete(connection);
        this.broker.unsubscribeAll(connection);
      },
    });
    this.connections.add(connection);
  }

  /** Tells one of the others, as any node of a cluster learns of a loss. A worker that hangs keeps its connection. */
  private clearUpAfter(node: HostNode): void {
    const gone = this.presence.purge(node);
    const [other] = [...this.connections].filter(({ node: of }) => of !== undefined && !of.isGivenUp);
    other?.send('lost', [node.incarnation]);
    for (const [channel, users] of gone) other?.send('presence.lost', [channel, users]);
  }
}
