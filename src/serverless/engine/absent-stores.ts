import type { StateEntry, StatePage, StateOutcome, StateStore } from '../../cluster/ports/state-store.js';
import type { Position } from '../../cluster/ports/broker.js';
import { newIdentity } from '../../cluster/ports/node-identity.js';
import { NodeRegistry, type NodeReport } from '../../cluster/ports/node-registry.js';
import { RecordStore, type ListRecord, type Restated } from '../../cluster/ports/record-store.js';
import { SharedCounts } from '../../cluster/ports/shared-counts.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';

/** What the serverless form does not have. The sentence is for the developer of a gateway that asks for it. */
export function absent(what: string): GatehouseError {
  return new GatehouseError('FORBIDDEN', { message: `The serverless form has no ${what}` });
}

/** Bans and revocations: every message would have to read them. An order is refused, rather than forgotten. */
export class AbsentRecords<R extends ListRecord> extends RecordStore<R> {
  constructor(private readonly what: string) {
    super();
  }

  async put(): Promise<boolean> {
    throw absent(this.what);
  }

  async restate(): Promise<Restated> {
    throw absent(this.what);
  }

  async lift(): Promise<boolean> {
    throw absent(this.what);
  }

  async list(): Promise<readonly R[]> {
    return [];
  }

  async life(): Promise<string> {
    return 'none';
  }
}

/** The values of state channels. */
export class AbsentStates implements StateStore {
  async commit(): Promise<StateOutcome> {
    throw absent('state channels');
  }

  async get(): Promise<{ readonly position: Position; readonly entry: StateEntry | undefined }> {
    throw absent('state channels');
  }

  async page(): Promise<StatePage> {
    throw absent('state channels');
  }

  async cellPage(): Promise<StatePage> {
    throw absent('state channels');
  }

  async expired(): Promise<readonly string[]> {
    return [];
  }
}

/** Nothing is counted over all connections: API Gateway has limits of its own. */
export class AbsentCounts extends SharedCounts {
  async take(): Promise<boolean> {
    return true;
  }

  release(): void {}

  async byNode(): Promise<ReadonlyMap<string, number>> {
    return new Map();
  }
}

/** There are no nodes. */
export class AbsentNodes extends NodeRegistry {
  readonly nodes: readonly NodeReport[] = [];
  readonly self: ReturnType<typeof newIdentity>;

  constructor(nodeId: string) {
    super();
    this.self = newIdentity(nodeId);
  }

  listen(): void {}

  async report(): Promise<void> {}

  async withdraw(): Promise<void> {}
}
