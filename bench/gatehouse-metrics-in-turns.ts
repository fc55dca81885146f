import 'reflect-metadata';
import type { EventEmitter } from 'node:events';
import { configurationOfProcess } from '../config/environment.js';
import { DispatchEvents } from '../src/dispatch/dispatch-events.js';
import { MessageTallies } from '../src/observability/metrics/message-tallies.js';
import { startServer, type GatehouseServer } from '../src/server.js';
import { SessionEvents } from '../src/sessions/session-events.js';

// What it does is done below, where it can be taken back. The product has no setting for that: it would not be worth one.
const listen: (this: MessageTallies) => void = Reflect.get(MessageTallies.prototype, 'onModuleInit');
MessageTallies.prototype.onModuleInit = () => {};

/** The product, in which SIGHUP takes away the metrics that are counted for every message, and the next brings them back. */
const server = await startServer(configurationOfProcess().settings);
let takeAway: (() => void) | undefined = count(server);
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
process.on('SIGHUP', () => {
  const wasThere = takeAway;
  takeAway = undefined;
  if (wasThere) wasThere();
  else takeAway = count(server);
});

/** Has the metrics counted. Returns what ends that. */
function count({ app }: GatehouseServer): () => void {
  const told = [
    { emitter: app.get<EventEmitter>(DispatchEvents, { strict: false }), event: 'received' },
    { emitter: app.get<EventEmitter>(DispatchEvents, { strict: false }), event: 'handled' },
    { emitter: app.get<EventEmitter>(SessionEvents, { strict: false }), event: 'sent' },
  ].map((each) => ({ ...each, others: each.emitter.listeners(each.event) }));
  listen.call(app.get(MessageTallies, { strict: false }));
  return () => {
    for (const { emitter, event, others } of told) {
      for (const listener of emitter.listeners(event)) {
        if (!others.includes(listener)) emitter.off(event, listener as () => void);
      }
    }
  };
}
