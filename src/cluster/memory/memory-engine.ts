import type { ClusterSettings } from '../cluster-settings.js';
import { LoneNodeBus } from '../bus/lone-node-bus.js';
import { BANS } from '../ports/ban-store.js';
import { ClusterEvents } from '../ports/cluster-events.js';
import { ConnectionDirectory } from '../ports/connection-directory.js';
import type { ClusterEngine } from '../ports/cluster-engine.js';
import { lifeOfIds } from '../ports/replay-store.js';
import { REVOCATIONS } from '../ports/revocation-store.js';
import { MemoryAnswerStore } from './memory-answer-store.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryNodeRegistry } from './memory-node-registry.js';
import { MemoryPresenceStore } from './memory-presence-store.js';
import { MemoryReplayStore } from './memory-replay-store.js';
import { MemoryRecordStore } from './memory-record-store.js';
import { MemorySharedCounts } from './memory-shared-counts.js';
import { MemoryStateStore } from './memory-state-store.js';

/** The engine of a single node: everything is in this process. */
export class MemoryEngine implements ClusterEngine {
  readonly answers = new MemoryAnswerStore();
  readonly bans = new MemoryRecordStore(BANS);
  readonly bus = new LoneNodeBus();
  readonly events = new ClusterEvents();
  readonly presence = new MemoryPresenceStore();
  readonly revocations = new MemoryRecordStore(REVOCATIONS);
  readonly broker: MemoryBroker;
  readonly counts: MemorySharedCounts;
  readonly directory: ConnectionDirectory;
  readonly registry: MemoryNodeRegistry;
  readonly replays: MemoryReplayStore;
  readonly state: MemoryStateStore;
  readonly link = undefined;
  readonly backlog = undefined;

  constructor({ serverId, historyBudgetBytes, stateBudgetBytes, replay }: Omit<ClusterSettings, 'redisUrl'>) {
    this.broker = new MemoryBroker(historyBudgetBytes);
    this.state = new MemoryStateStore(this.broker, stateBudgetBytes);
    this.counts = new MemorySharedCounts(serverId);
    this.registry = new MemoryNodeRegistry(serverId);
    this.replays = new MemoryReplayStore(lifeOfIds(replay.windowMs), replay.budgetBytes);
    this.directory = new ConnectionDirectory({ link: undefined, registry: this.registry, events: this.events });
  }

  async start(): Promise<void> {}

  close(): Promise<void> {
    this.state.close();
    return this.broker.close();
  }
}
