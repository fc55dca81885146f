import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import type { EdgeRules } from '../../config/edge-file.js';
import type { Settings } from '../../config/settings.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { ClusterEvents } from '../cluster/ports/cluster-events.js';
import { ListsOverlay } from '../cluster/ports/lists-overlay.js';
import { BrokerOverlay } from '../cluster/ports/broker-overlay.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { PublicationRelay } from '../channels/publication-relay.js';
import { HandlerDeadlines } from '../dispatch/calls/handler-deadlines.js';
import { MessageScope } from '../dispatch/calls/message-scope.js';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { FallbackHandlers } from '../dispatch/message-table.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { ChannelRelay } from './channel-relay.js';
import { EdgeEvents } from './edge-events.js';
import { EdgeStatus } from './edge-status.js';
import { EdgeFacts } from './edge-facts.js';
import { EdgeNode } from './edge-node.js';
import { ForwardHandlers } from './forward-handlers.js';
import { LossReporter } from './link/loss-reporter.js';
import { Reporter } from './link/reporter.js';
import { Upstream } from './link/upstream.js';
import { MirrorOverlay } from './mirror/mirror-broker.js';
import { MirrorStore } from './mirror/mirror-store.js';
import { Mirror } from './mirror/mirror.js';
import { CentreOrders } from './orders/centre-orders.js';
import { orderIn } from './orders/known-order.js';
import { OrdersOverlay } from './orders/orders-overlay.js';
import { OrdersStore } from './orders/orders-store.js';
import { databaseOpener } from './store/edge-database.js';
import { Outbox } from './store/outbox.js';

/**
 * What makes this server an edge node. Loaded only where EDGE_UPSTREAM is set. Global: it implements ports of the stages below.
 */
@Global()
@Module({})
export class EdgeModule {
  static of({ edge, channels }: Pick<Settings, 'edge' | 'channels'>, rules: EdgeRules): DynamicModule {
    const { folder = '', upstream = '', token, tokenFile } = edge;
    const ports = [...portsOf(rules), ...mirrorPorts(rules, folder, channels)];
    return {
      module: EdgeModule,
      imports: [ClusterModule, DispatchModule, ChannelsModule, SessionsModule],
      providers: [
        EdgeEvents,
        {
          provide: Outbox,
          inject: [EdgeEvents],
          useFactory: async (events: EdgeEvents) =>
            Outbox.open({ openDatabase: await databaseOpener(folder, events), rules: rules.forward, events }),
        },
        {
          provide: Upstream,
          inject: [EdgeEvents],
          useFactory: (events: EdgeEvents) => new Upstream({ upstream, token, tokenFile }, events),
        },
        {
          provide: EdgeNode,
          inject: [Outbox, Upstream, EdgeEvents, CentreOrders, { token: Mirror, optional: true }],
          useFactory: (outbox: Outbox, link: Upstream, events: EdgeEvents, orders: CentreOrders, mirror?: Mirror) =>
            new EdgeNode({ outbox, upstream: link, events, orders, mirror }),
        },
        { provide: EdgeStatus, useExisting: EdgeNode },
        EdgeFacts,
        Reporter,
        LossReporter,
        ...orderPorts(folder),
        ...ports,
      ],
      exports: [EdgeEvents, EdgeStatus, ListsOverlay, Outbox, Upstream, ...ports.map(({ provide }) => provide)],
    };
  }
}

/** The orders of the centre are added to those of this node. */
function orderPorts(folder: string): FactoryProvider[] {
  return [
    {
      provide: CentreOrders,
      inject: [EdgeEvents, Upstream, ClusterEvents],
      useFactory: async (events: EdgeEvents, upstream: Upstream, cluster: ClusterEvents) => {
        const opener = await databaseOpener(folder, events, { name: 'orders' });
        const store = await OrdersStore.open(opener, events, orderIn);
        return new CentreOrders({ upstream, store, events, cluster });
      },
    },
    { provide: ListsOverlay, inject: [CentreOrders], useFactory: (orders: CentreOrders) => new OrdersOverlay(orders) },
  ];
}

/** Without mirrored channels, every channel stays with the broker of the engine. */
function mirrorPorts(
  { mirror: patterns }: EdgeRules,
  folder: string,
  channels: Settings['channels'],
): FactoryProvider[] {
  if (patterns.length === 0) return [];
  const { namespaces, historyBudgetBytes: budgetBytes } = channels;
  return [
    {
      provide: Mirror,
      inject: [EdgeEvents, Upstream],
      useFactory: async (events: EdgeEvents, upstream: Upstream): Promise<Mirror> => {
        const store = await MirrorStore.open(await databaseOpener(folder, events, { name: 'mirror' }), events);
        return new Mirror({ patterns, namespaces, budgetBytes, upstream, store, events });
      },
    },
    { provide: BrokerOverlay, inject: [Mirror], useFactory: (mirror: Mirror) => new MirrorOverlay(mirror) },
  ];
}

/** Only what the file needs, so that nothing else is slower. */
function portsOf(rules: EdgeRules): FactoryProvider[] {
  const { forward, through } = rules;
  const ports: FactoryProvider[] = [];
  if (through.length > 0 || forward.some(({ types }) => types.length > 0)) {
    ports.push({
      provide: FallbackHandlers,
      inject: [Outbox, Upstream, HandlerDeadlines, { token: MessageScope, optional: true }],
      useFactory: (
        outbox: Outbox,
        upstream: Upstream,
        deadlines: HandlerDeadlines,
        scope: MessageScope | undefined,
      ): FallbackHandlers => new ForwardHandlers({ rules, outbox, upstream, deadlines, scope }),
    });
  }
  if (forward.some(({ channels }) => channels.length > 0)) {
    const useFactory = (outbox: Outbox, mirror?: Mirror): PublicationRelay =>
      new ChannelRelay(forward, outbox, (name) => mirror?.mirrors(name) ?? false);
    ports.push({ provide: PublicationRelay, inject: [Outbox, { token: Mirror, optional: true }], useFactory });
  }
  return ports;
}
