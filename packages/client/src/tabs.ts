import { environmentOf, type Environment, type SocketConstructor } from './environment.js';
import type { Channel, Locks } from './tabs/messages.js';
import { SharedSocket } from './tabs/shared-socket.js';
import { Tab } from './tabs/tab.js';

export interface SharedSocketsOptions extends Partial<Environment> {
  /** Tabs share a connection only if they say the same: it belongs to one user. */
  readonly user: string;
  /** For tests. Default: those of the browser. */
  readonly locks?: Locks | undefined;
  readonly BroadcastChannel?: (new (name: string) => Channel) | undefined;
}

interface Globals {
  readonly navigator?: { readonly locks?: Locks };
  readonly BroadcastChannel?: new (name: string) => Channel;
}

/**
 * One connection for all tabs of a user: pass the result as `WebSocket` to `createClient`. Where the browser has no Web Locks or
 * no BroadcastChannel, each tab has its own connection.
 */
export function sharedSockets(options: SharedSocketsOptions): SocketConstructor | undefined {
  const environment = environmentOf(options);
  const globals = globalThis as Globals;
  const locks = options.locks ?? globals.navigator?.locks;
  const Broadcast = options.BroadcastChannel ?? globals.BroadcastChannel;
  const { WebSocket, clock, random, page } = environment;
  if (locks === undefined || Broadcast === undefined || WebSocket === undefined) return WebSocket;
  const tabs = new Map<string, Tab>();
  const tabFor = (url: string): Tab => {
    const name = `gatehouse:1:${options.user}:${url}`;
    const tab =
      tabs.get(url) ?? new Tab({ name, url, WebSocket, locks, clock, random, page, channel: new Broadcast(name) });
    tabs.set(url, tab);
    return tab;
  };
  return class extends SharedSocket {
    constructor(url: string, protocols: string[]) {
      super(tabFor(url), protocols);
    }
  };
}
