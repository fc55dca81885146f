/** A picture of the figures of one case. The harness draws it from the table, so both say the same. */
export type Chart = Bars | Curve;

interface ChartHead {
  /** In bench/charts/. */
  readonly file: string;
  readonly title: string;
  /** Of the figures. */
  readonly unit: string;
}

export interface Bars extends ChartHead {
  readonly kind: 'bars';
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly measure: string;
  readonly peer: string;
  readonly label: string;
}

/** A line for each peer, over a logarithmic axis. */
export interface Curve extends ChartHead {
  readonly kind: 'curve';
  /** What grows. */
  readonly over: string;
  readonly points: readonly CurvePoint[];
}

export interface CurvePoint {
  readonly measure: string;
  readonly at: number;
}

const titles: Readonly<Record<string, string>> = {
  gatehouse: 'Gatehouse',
  'gatehouse-redis': 'Gatehouse with Redis',
  'gatehouse-batch': 'Gatehouse (lists)',
  'gatehouse-publish': 'Gatehouse (publish)',
  'gatehouse-publish-batch': 'Gatehouse (publish, lists)',
  colyseus: 'Colyseus',
  'bare-ws': 'ws',
  'stock-nest': 'Nest (WsAdapter)',
  'socket-io': 'Socket.IO',
  'socket-io-redis': 'Socket.IO with Redis',
  bun: 'Bun (uWebSockets)',
  nchan: 'nchan (nginx)',
  mosquitto: 'Mosquitto',
};

/** What the pictures call a peer. */
export function titleOf(peer: string): string {
  return titles[peer] ?? peer;
}

/** One measure of several peers. */
export function barsOf(measure: string, peers: readonly string[]): Bar[] {
  return peers.map((peer) => ({ measure, peer, label: titleOf(peer) }));
}
