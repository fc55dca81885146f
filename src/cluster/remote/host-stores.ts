import type { Ban } from '../ports/ban-store.js';
import type { AnswerStore } from '../ports/answer-store.js';
import type { RecordStore } from '../ports/record-store.js';
import type { Revocation } from '../ports/revocation-store.js';
import type { HostBroker } from './host-broker.js';
import type { HostCounts } from './host-counts.js';
import type { HostNodes } from './host-nodes.js';
import type { HostPresence } from './host-presence.js';
import type { HostState } from './host-state.js';

/** What the primary keeps for its workers. */
export interface HostStores {
  /** Differs after every start: what an earlier engine kept is gone. */
  readonly life: string;
  readonly answers: AnswerStore;
  readonly bans: RecordStore<Ban>;
  readonly broker: HostBroker;
  readonly counts: HostCounts;
  readonly nodes: HostNodes;
  readonly presence: HostPresence;
  readonly replays: AnswerStore;
  readonly revocations: RecordStore<Revocation>;
  readonly state: HostState;
}
