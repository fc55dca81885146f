import type { Server } from '../load/job.js';
import type { Chart } from './chart.js';

/** How long and how large this invocation is. */
export interface Extent {
  readonly warmUpMs: number;
  readonly windowMs: number;
  readonly quick: boolean;
}

export interface Load {
  /** A file of bench/load/. */
  readonly script: string;
  readonly job: object;
  /** The generator is stopped after this and the run is invalid. */
  readonly limitMs: number;
}

/** What Gatehouse has to reach. */
export type Target = RatioTarget | BoundTarget;

export interface RatioTarget {
  readonly kind: 'ratio';
  readonly measure: string;
  /** Null: against itself, with `againstMeasure`. */
  readonly against: string | null;
  readonly againstMeasure?: string;
  /** `atLeast`: how many messages Gatehouse does in the time the other needs for one. `atMost`: its cost as a share of the other's. */
  readonly bound: 'atLeast' | 'atMost';
  readonly reach: number;
}

export interface BoundTarget {
  readonly kind: 'bound';
  readonly measure: string;
  readonly atMost: number;
}

export interface BenchCase {
  readonly name: string;
  readonly title: string;
  /** What the figures of the table are. */
  readonly unit: string;
  /** The first is the subject of the targets. */
  readonly peers: readonly string[];
  /** For cases so long that repeating them says little more. */
  readonly mostRuns?: number;
  /** How many nodes of each peer run on one Redis; 1 where it does not say. */
  readonly nodes?: number;
  /** Whether each load gets a fresh server: where memory is measured that the one before has left behind. */
  readonly freshServers?: boolean;
  /** Whether the event loop of the servers is watched. It costs a timer each millisecond. */
  readonly watchesLoop?: boolean;
  /** The peer of the table's last column; bare-ws where it does not say. */
  readonly comparedWith?: string;
  readonly targets: readonly Target[];
  /** Pictures of the figures. */
  readonly charts?: readonly Chart[];
  /** What is done, one after the other, to one freshly started server; `freshServers` says otherwise. */
  loads(server: Server, extent: Extent): readonly Load[];
}

/** Start, connecting and closing, on top of the time that a load measures. */
export const loadOverheadMs = 40_000;
