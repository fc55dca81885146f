import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Counter, Gauge } from 'prom-client';
import { EdgeLosses } from '../../edge/centre/edge-losses.js';
import { LOSSES } from '../../edge/store/stream-counts.js';
import { EDGE_OUTCOMES, EdgeEvents, MIRROR_OUTCOMES, STORE_FAULTS } from '../../edge/edge-events.js';
import { ConnectedEdges } from '../../edge/connected-edges.js';
import { EdgeStatus, type EdgeReading } from '../../edge/edge-status.js';
import { METRIC } from './metrics.js';
import { pulledGauge } from './pulled-metric.js';

/** Both are absent if this is no edge node. */
const EVENTS = { token: EdgeEvents, optional: true };
const STATUS = { token: EdgeStatus, optional: true };

/** What becomes of messages at an edge node, and the edges of a centre. */
export const edgeMetrics: Provider[] = [
  {
    provide: getToken(METRIC.edgeMessages),
    inject: [EVENTS],
    useFactory: (events: EdgeEvents | undefined) => {
      const help = 'Messages of an edge node for its centre, by outcome';
      const counter = new Counter({ name: METRIC.edgeMessages, help, labelNames: ['outcome'], registers: [] });
      for (const outcome of EDGE_OUTCOMES) counter.inc({ outcome }, 0);
      events?.on('settled', (outcome, _rule, messages) => counter.inc({ outcome }, messages));
      return counter;
    },
  },
  {
    provide: getToken(METRIC.edgeStoreFaults),
    inject: [EVENTS],
    useFactory: (events: EdgeEvents | undefined) => {
      const help = 'Faults of the disk, the store and the clock of an edge node';
      const counter = new Counter({ name: METRIC.edgeStoreFaults, help, labelNames: ['fault'], registers: [] });
      for (const fault of STORE_FAULTS) counter.inc({ fault }, 0);
      events?.on('fault', (fault) => counter.inc({ fault }));
      return counter;
    },
  },
  {
    provide: getToken(METRIC.edgeMirrored),
    inject: [EVENTS],
    useFactory: (events: EdgeEvents | undefined) => {
      const help = 'Publications of the centre in the mirrored channels of an edge node, by outcome';
      const counter = new Counter({ name: METRIC.edgeMirrored, help, labelNames: ['outcome'], registers: [] });
      for (const outcome of MIRROR_OUTCOMES) counter.inc({ outcome }, 0);
      events?.on('mirrored', (outcome, publications) => counter.inc({ outcome }, publications));
      return counter;
    },
  },
  {
    provide: getToken(METRIC.edgeLosses),
    inject: [{ token: EdgeLosses, optional: true }],
    useFactory: (losses: EdgeLosses | undefined) => {
      const help = 'Messages that edge nodes say this centre will never get, by outcome';
      const counter = new Counter({ name: METRIC.edgeLosses, help, labelNames: ['outcome'], registers: [] });
      for (const outcome of LOSSES) counter.inc({ outcome }, 0);
      losses?.on('lost', ({ outcome, messages }) => counter.inc({ outcome }, messages));
      return counter;
    },
  },
  gauge(METRIC.edgeQueued, 'Messages of an edge node that wait for its centre', ({ messages }) => messages),
  gauge(METRIC.edgeQueuedBytes, 'Bytes of the messages that wait for the centre', ({ bytes }) => bytes),
  gauge(
    METRIC.edgeUpstreamDown,
    'How long the centre of an edge node has not been reached; 0 while it is',
    ({ upstream, seconds }) => (upstream === 'up' ? 0 : seconds),
  ),
  {
    provide: getToken(METRIC.edgeConnected),
    inject: [{ token: ConnectedEdges, optional: true }],
    useFactory: (edges: ConnectedEdges | undefined) =>
      pulledGauge(METRIC.edgeConnected, 'Edge nodes that are connected to this node', () => edges?.connected),
  },
];

function gauge(name: string, help: string, valueOf: (reading: EdgeReading) => number): Provider {
  return {
    provide: getToken(name),
    inject: [STATUS],
    useFactory: (status: EdgeStatus | undefined) =>
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(status === undefined ? 0 : valueOf(status.read()));
        },
      }),
  };
}
