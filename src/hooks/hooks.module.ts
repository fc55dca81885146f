import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { Hooks } from '../../config/hooks.js';
import { Broadcaster } from '../broadcast/broadcaster.js';
import { BroadcastModule } from '../broadcast/broadcast.module.js';
import { ChannelDecisions } from '../channels/channel-hooks.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { NodeBus } from '../cluster/ports/node-bus.js';
import { PresenceStore } from '../cluster/ports/presence-store.js';
import { HandlerDeadlines } from '../dispatch/calls/handler-deadlines.js';
import { MessageScope } from '../dispatch/calls/message-scope.js';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { FallbackHandlers } from '../dispatch/message-table.js';
import { SessionEvents } from '../sessions/session-events.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { EventHooks } from './event-hook.js';
import { Traces } from '../protocol/traces.js';
import { ConnectDecisions } from '../upgrade/connect-decisions.js';
import { ChannelHookDecisions } from './channel-hook.js';
import { ConnectHookDecisions } from './connect-hook.js';
import { HookClients } from './hook-clients.js';
import { HookEvents } from './hook-events.js';
import { MessageHooks } from './message-hook.js';

/**
 * Back ends that decide about requests of clients. Global: it implements ports of the stages below, which do without where
 * there is no hooks file.
 */
@Global()
@Module({})
export class HooksModule {
  static of(hooks: Hooks): DynamicModule {
    const ports = portsOf(hooks);
    return {
      module: HooksModule,
      imports: [BroadcastModule, ClusterModule, DispatchModule, SessionsModule],
      providers: [
        HookEvents,
        {
          provide: HookClients,
          inject: [HookEvents, { token: Traces, optional: true }],
          useFactory: (events: HookEvents, traces: Traces | undefined) => HookClients.open(hooks, events, traces),
        },
        ...ports,
      ],
      exports: [HookEvents, ...ports.map(({ provide }) => provide)],
    };
  }
}

type Port = Exclude<Provider, new (...parts: never[]) => unknown> & {
  readonly provide: abstract new (...parts: never[]) => unknown;
};

/** Only what the file has a hook for is implemented, so that nothing else is slower. */
function portsOf(hooks: Hooks): Port[] {
  const { connect, messages, events } = hooks;
  const ports: Port[] = [];
  if (connect !== undefined) {
    const useFactory = (clients: HookClients): ConnectDecisions => new ConnectHookDecisions(connect, clients);
    ports.push({ provide: ConnectDecisions, inject: [HookClients], useFactory });
  }
  if (hooks.subscribe !== undefined || hooks.publish !== undefined) {
    const useFactory = (clients: HookClients): ChannelDecisions => new ChannelHookDecisions(hooks, clients);
    ports.push({ provide: ChannelDecisions, inject: [HookClients], useFactory });
  }
  if (messages.length > 0) {
    ports.push({
      provide: FallbackHandlers,
      inject: [HookClients, Broadcaster, HandlerDeadlines, { token: MessageScope, optional: true }],
      useFactory: (
        clients: HookClients,
        broadcaster: Broadcaster,
        deadlines: HandlerDeadlines,
        scope: MessageScope | undefined,
      ): FallbackHandlers => new MessageHooks({ hooks: messages, clients, broadcaster, deadlines, scope }),
    });
  }
  if (events !== undefined) {
    ports.push({
      provide: EventHooks,
      inject: [HookClients, HookEvents, SessionEvents, PresenceStore, NodeBus],
      useFactory: (
        clients: HookClients,
        observed: HookEvents,
        sessions: SessionEvents,
        presence: PresenceStore,
        bus: NodeBus,
      ): EventHooks => new EventHooks({ hook: events, clients, events: observed, sessions, presence, bus }),
    });
  }
  return ports;
}
