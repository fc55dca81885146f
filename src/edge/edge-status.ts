import type { UpstreamState } from './edge-events.js';

/** How an edge node is, for `/ready`, the API and metrics. */
export interface EdgeReading {
  readonly upstream: UpstreamState;
  /** How long the upstream has been in this state. */
  readonly seconds: number;
  /** Why it is not up; undefined if it is, or nobody knows. */
  readonly detail: string | undefined;
  /** Messages that wait for the centre, and their bytes. */
  readonly messages: number;
  readonly bytes: number;
  /** Whether the disk takes messages. */
  readonly store: 'ok' | 'failed';
}

/** A port for observers. Absent if this is no edge node. */
export abstract class EdgeStatus {
  abstract read(): EdgeReading;
}
