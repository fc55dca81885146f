import { parseNamespaces } from '../../../config/namespaces.js';
import { ChannelHub } from '../../../src/channels/channel-hub.js';
import { Channels } from '../../../src/channels/channels.js';
import type { Subscribed, SubscribeOptions } from '../../../src/channels/subscribe-options.js';
import { LocalChannels } from '../../../src/channels/local-channels.js';
import { Ledgers } from '../../../src/channels/ledger/ledgers.js';
import { NamespaceCounts } from '../../../src/channels/namespace-counts.js';
import { PresenceTracker } from '../../../src/channels/presence/presence-tracker.js';
import type { ChannelName } from '../../../src/cluster/ports/broker.js';
import { MemoryPresenceStore } from '../../../src/cluster/memory/memory-presence-store.js';
import type { OutboundMessage } from '@gatehouse/protocol';
import type { FrameFormat } from '../../../src/sessions/frame-format.js';
import { SessionEvents } from '../../../src/sessions/session-events.js';
import type { Session } from '../../../src/sessions/session.js';
import type { Shedding } from '../../../src/socket/held-frames.js';
import type { Receipt } from '../../../src/socket/receipt.js';
import { ScriptedBroker } from './scripted-broker.js';

export const NAME = 'log:a' as ChannelName;

/** As a format encodes: once for all that share it. */
const format = {
  encoded: 0,
  frame(message: OutboundMessage): Buffer {
    this.encoded += 1;
    return Buffer.from(JSON.stringify(message));
  },
};

let made = 0;

/** A session whose frames a test can read. */
export class ReadableSession {
  readonly id: string;
  readonly got: OutboundMessage[] = [];
  readonly format = format as unknown as FrameFormat;
  closedAs: string | undefined;
  readonly connection = {
    isOpen: true,
    isServed: true,
    waitingBytes: 0,
    enqueue: (bytes: Buffer, shedding?: Shedding): boolean => {
      this.got.push(JSON.parse(bytes.toString()) as OutboundMessage);
      shedding?.receipt?.written(Date.now());
      return true;
    },
    follow: (receipt: Receipt): void => receipt.written(Date.now()),
  };
  readonly openedAt = Date.now();
  readonly principal: { readonly userId: string; readonly anonymous: boolean };

  constructor(readonly userId = 'alice') {
    made += 1;
    this.id = `session-${made}`;
    this.principal = { userId, anonymous: false };
  }

  /** What came: a seq for a publication, the gap for a gap. */
  get view(): unknown[] {
    return this.got.map(({ type, seq, data }) => (type === 'gap' ? data : seq));
  }

  send(message: OutboundMessage): boolean {
    this.got.push(message);
    return true;
  }

  close(name: string): void {
    this.closedAs = name;
  }
}

/** The channels of one node, on a scripted broker. */
export function channelNode(options = 'history: { size: 100, age: 1h }') {
  const events = new SessionEvents();
  const broker = new ScriptedBroker(NAME);
  const store = new MemoryPresenceStore();
  const namespaces = parseNamespaces(`namespaces: { log: { subscribe: anyone, ${options} } }`);
  const settings = { namespaces, maxPerSession: 0, presenceRate: 0, maxPresenceMembers: 0 };
  const ledgers = new Ledgers(settings, events);
  const hub = new ChannelHub(broker, events, new NamespaceCounts(settings), new LocalChannels(ledgers));
  const presence = new PresenceTracker(store, broker, settings, events);
  const channels = new Channels(settings, hub, presence, events);
  const channel = channels.named(NAME);
  return {
    broker,
    hub,
    channels,
    channel,
    events,
    ledgers,
    presence,
    store,
    /** How often something was encoded so far. */
    encoded: () => format.encoded,
    subscribe(session: ReadableSession, wish: SubscribeOptions = {}): Promise<Subscribed> {
      return channels.subscribe(session as unknown as Session, channel, wish);
    },
    /** Subscribes and goes live at once. */
    async join(session = new ReadableSession(), wish: SubscribeOptions = {}): Promise<ReadableSession> {
      (await this.subscribe(session, wish)).goLive();
      return session;
    },
    leave(session: ReadableSession): void {
      Object.assign(session.connection, { isOpen: false, isServed: false });
      events.emit('closed', session as unknown as Session, 1000, '');
    },
    [Symbol.dispose](): void {
      hub.onApplicationShutdown();
      presence.onApplicationShutdown();
    },
  };
}

export type ChannelNode = ReturnType<typeof channelNode>;
