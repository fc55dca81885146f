import { BrokerNodeBus } from '../bus/broker-node-bus.js';
import type { ClusterSettings } from '../cluster-settings.js';
import type { Ban } from '../ports/ban-store.js';
import type { ClusterEngine } from '../ports/cluster-engine.js';
import { ClusterEvents } from '../ports/cluster-events.js';
import { ConnectionDirectory } from '../ports/connection-directory.js';
import type { Revocation } from '../ports/revocation-store.js';
import { RemoteAnswerStore } from './remote-answer-store.js';
import { RemoteBroker } from './remote-broker.js';
import type { RemoteLink } from './remote-link.js';
import { RemoteNodeRegistry } from './remote-node-registry.js';
import { RemotePresenceStore } from './remote-presence-store.js';
import { RemoteRecordStore } from './remote-record-store.js';
import { RemoteSharedCounts } from './remote-shared-counts.js';
import { RemoteStateStore } from './remote-state-store.js';

/** The engine of a worker: everything that workers share is in the primary. */
export class RemoteEngine implements ClusterEngine {
  readonly answers: RemoteAnswerStore;
  readonly bans: RemoteRecordStore<Ban>;
  readonly broker: RemoteBroker;
  readonly bus: BrokerNodeBus;
  readonly counts: RemoteSharedCounts;
  readonly directory: ConnectionDirectory;
  readonly events = new ClusterEvents();
  readonly presence: RemotePresenceStore;
  readonly registry: RemoteNodeRegistry;
  readonly replays: RemoteAnswerStore;
  readonly revocations: RemoteRecordStore<Revocation>;
  readonly state: RemoteStateStore;

  constructor(
    readonly link: RemoteLink,
    { serverId }: Pick<ClusterSettings, 'serverId'>,
  ) {
    const { events } = this;
    const registry = new RemoteNodeRegistry(link, serverId);
    const broker = new RemoteBroker(link);
    this.registry = registry;
    this.broker = broker;
    this.answers = new RemoteAnswerStore(link, 'answers');
    this.replays = new RemoteAnswerStore(link, 'replays');
    this.bans = new RemoteRecordStore(link, 'bans');
    this.revocations = new RemoteRecordStore(link, 'revocations');
    this.presence = new RemotePresenceStore(link, registry);
    this.counts = new RemoteSharedCounts(link, registry);
    this.state = new RemoteStateStore(link);
    this.bus = new BrokerNodeBus({ broker, registry, events, isConnected: () => link.isUp });
    this.directory = new ConnectionDirectory({ link: undefined, registry, events });
    link.on('replaced', () => events.emit('rejoined'));
  }

  get backlog(): Readonly<Record<string, number>> {
    return { ...this.link.backlog, ...this.bus.backlog };
  }

  start(): Promise<void> {
    return this.bus.start();
  }

  async close(): Promise<void> {
    this.bus.close();
    await this.broker.close();
    this.link.close();
  }
}
