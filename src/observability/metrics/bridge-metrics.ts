import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Counter, Gauge } from 'prom-client';
import { BridgeEvents } from '../../bridges/bridge-events.js';
import { METRIC } from './metrics.js';

/** Absent if there is no bridge. */
const SOURCE = { token: BridgeEvents, optional: true };

/** What becomes of messages from and for other brokers. The labels have as many values as the bridges file. */
export const bridgeMetrics: Provider[] = [
  {
    provide: getToken(METRIC.bridgeConnected),
    inject: [SOURCE],
    useFactory: (events: BridgeEvents | undefined) => {
      const help = '1 while this node is connected to the broker, otherwise 0';
      const gauge = new Gauge({ name: METRIC.bridgeConnected, help, labelNames: ['broker'], registers: [] });
      events?.on('connected', (broker, isConnected) => gauge.set({ broker }, isConnected ? 1 : 0));
      return gauge;
    },
  },
  {
    provide: getToken(METRIC.bridgeMessages),
    inject: [SOURCE],
    useFactory: (events: BridgeEvents | undefined) => {
      const help = 'Messages that came from a topic or subject, by outcome';
      const labelNames = ['bridge', 'outcome'];
      const counter = new Counter({ name: METRIC.bridgeMessages, help, labelNames, registers: [] });
      events?.on('settled', (bridge, outcome) => counter.inc({ bridge, outcome }));
      return counter;
    },
  },
  {
    provide: getToken(METRIC.bridgeLeft),
    inject: [SOURCE],
    useFactory: (events: BridgeEvents | undefined) => {
      const help = 'Publications for a topic or subject, by outcome';
      const labelNames = ['destination', 'outcome'];
      const counter = new Counter({ name: METRIC.bridgeLeft, help, labelNames, registers: [] });
      events?.on('left', (destination, outcome) => counter.inc({ destination, outcome }));
      return counter;
    },
  },
  {
    provide: getToken(METRIC.bridgeWaiting),
    inject: [SOURCE],
    useFactory: (events: BridgeEvents | undefined) => {
      const help = 'Publications that wait until the broker takes them';
      const gauge = new Gauge({ name: METRIC.bridgeWaiting, help, labelNames: ['broker'], registers: [] });
      events?.on('waiting', (broker, publications) => gauge.set({ broker }, publications));
      return gauge;
    },
  },
  {
    provide: getToken(METRIC.bridgeLag),
    inject: [SOURCE],
    useFactory: (events: BridgeEvents | undefined) => {
      const help = 'Messages of a topic or stream that are not read yet, as this node saw them last';
      const gauge = new Gauge({ name: METRIC.bridgeLag, help, labelNames: ['bridge'], registers: [] });
      events?.on('lag', (bridge, messages) => gauge.set({ bridge }, messages));
      return gauge;
    },
  },
  {
    provide: getToken(METRIC.bridgeFailures),
    inject: [SOURCE],
    useFactory: (events: BridgeEvents | undefined) => {
      const help = 'Failed attempts to use a broker, or to publish a message of it';
      const counter = new Counter({ name: METRIC.bridgeFailures, help, labelNames: ['bridge'], registers: [] });
      events?.on('failed', (bridge) => counter.inc({ bridge }));
      return counter;
    },
  },
];
