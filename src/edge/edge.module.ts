import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import type { EdgeRules } from '../../config/edge-file.js';
import type { Settings } from '../../config/settings.js';
import { PublicationRelay } from '../channels/publication-relay.js';
import { HandlerDeadlines } from '../dispatch/calls/handler-deadlines.js';
import { MessageScope } from '../dispatch/calls/message-scope.js';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { FallbackHandlers } from '../dispatch/message-table.js';
import { ChannelRelay } from './channel-relay.js';
import { EdgeEvents } from './edge-events.js';
import { EdgeStatus } from './edge-status.js';
import { EdgeNode } from './edge-node.js';
import { ForwardHandlers } from './forward-handlers.js';
import { Upstream } from './link/upstream.js';
import { databaseOpener } from './store/edge-database.js';
import { Outbox } from './store/outbox.js';

/**
 * What makes this server an edge node. Loaded only where EDGE_UPSTREAM is set. Global: it implements ports of the stages below.
 */
@Global()
@Module({})
export class EdgeModule {
  static of({ edge }: Pick<Settings, 'edge'>, rules: EdgeRules): DynamicModule {
    const { folder = '', upstream = '', token, tokenFile } = edge;
    const ports = portsOf(rules);
    return {
      module: EdgeModule,
      imports: [DispatchModule],
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
          inject: [Outbox, Upstream, EdgeEvents],
          useFactory: (outbox: Outbox, link: Upstream, events: EdgeEvents) =>
            new EdgeNode({ outbox, upstream: link, events }),
        },
        { provide: EdgeStatus, useExisting: EdgeNode },
        ...ports,
      ],
      exports: [EdgeEvents, EdgeStatus, Outbox, Upstream, ...ports.map(({ provide }) => provide)],
    };
  }
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
    const useFactory = (outbox: Outbox): PublicationRelay => new ChannelRelay(forward, outbox);
    ports.push({ provide: PublicationRelay, inject: [Outbox], useFactory });
  }
  return ports;
}
