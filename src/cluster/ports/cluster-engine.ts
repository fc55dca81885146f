import type { AnswerStore } from './answer-store.js';
import type { BanStore } from './ban-store.js';
import type { Broker } from './broker.js';
import type { ClusterEvents } from './cluster-events.js';
import type { ConnectionDirectory } from './connection-directory.js';
import type { EngineLink } from './engine-link.js';
import type { NodeBus } from './node-bus.js';
import type { NodeRegistry } from './node-registry.js';
import type { PresenceStore } from './presence-store.js';
import type { ReplayStore } from './replay-store.js';
import type { RevocationStore } from './revocation-store.js';
import type { SharedCounts } from './shared-counts.js';
import type { StateStore } from './state-store.js';

/** The implementations of all ports on one engine: in memory, on Redis, or in the primary process of a machine. */
export abstract class ClusterEngine {
  abstract readonly answers: AnswerStore;
  abstract readonly bans: BanStore;
  abstract readonly broker: Broker;
  abstract readonly bus: NodeBus;
  abstract readonly counts: SharedCounts;
  abstract readonly directory: ConnectionDirectory;
  abstract readonly events: ClusterEvents;
  abstract readonly presence: PresenceStore;
  abstract readonly registry: NodeRegistry;
  abstract readonly replays: ReplayStore;
  abstract readonly revocations: RevocationStore;
  abstract readonly state: StateStore;

  /** Undefined for the engine in memory. */
  abstract readonly link: EngineLink | undefined;

  /** What waits for the engine and for other nodes, by kind. Undefined on a single node. */
  abstract readonly backlog: Readonly<Record<string, number>> | undefined;

  /** Called once, before the server listens. */
  abstract start(): Promise<void>;

  /** Called once, after the last session has closed. Rejects everything that waits. */
  abstract close(): Promise<void>;
}
