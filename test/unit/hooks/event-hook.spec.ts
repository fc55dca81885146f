import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ChannelName } from '../../../src/cluster/ports/broker.js';
import type { PresenceListener } from '../../../src/cluster/ports/presence-store.js';
import { MemoryPresenceStore } from '../../../src/cluster/memory/memory-presence-store.js';
import { EventHooks } from '../../../src/hooks/event-hook.js';
import { SessionEvents } from '../../../src/sessions/session-events.js';
import type { Session } from '../../../src/sessions/session.js';

interface Told {
  readonly type: string;
  readonly id: string;
  readonly data: { readonly session?: string; readonly channel?: string; readonly code?: number };
}

/** A store whose other nodes are played by the test. */
class PlayedStore extends MemoryPresenceStore {
  listener: PresenceListener | undefined;
  /** The last place that a session of this node was added to. */
  place = '' as ChannelName;

  override listen(listener?: PresenceListener): void {
    this.listener = listener;
  }

  override add(...parameters: Parameters<MemoryPresenceStore['add']>): Promise<boolean> {
    [this.place] = parameters;
    return super.add(...parameters);
  }
}

const SESSION = {
  id: 'session-1',
  address: '192.0.2.1',
  principal: { anonymous: false, userId: 'alice', roles: [] },
} as unknown as Session;
const ABOUT = JSON.stringify({ session: 'session-1', user: 'alice' });

/** One of several nodes, and what it has told its back end. */
function node(...types: string[]) {
  const told: Told[] = [];
  const clients = {
    post: async (_endpoint: string, { data }: { data: readonly Told[] }) => (told.push(...data), {}),
  };
  const sessions = new SessionEvents();
  const presence = new PlayedStore();
  const hooks = new EventHooks({
    hook: { endpoint: 'app', types, batch: 1, waitMs: 0 },
    clients,
    events: { emit: () => true },
    sessions,
    presence,
    bus: { reachesOthers: true },
  } as never);
  const drain = async (): Promise<Told[]> => {
    await vi.advanceTimersByTimeAsync(1_000);
    return told.splice(0);
  };
  return { hooks, sessions, presence, told: drain };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('tells a session as opened again that another node has told as closed, because this node was cut off', async () => {
  const { sessions, presence, told } = node('session.*');
  sessions.emit('opened', SESSION);
  expect(await told()).toMatchObject([{ type: 'session.opened', data: { session: 'session-1' } }]);
  presence.listener?.back(presence.place, ABOUT);
  expect(await told()).toMatchObject([{ type: 'session.opened', data: { session: 'session-1' } }]);
  sessions.emit('closed', SESSION, 1000, '');
  const [closed] = await told();
  expect(closed).toMatchObject({ type: 'session.closed', data: { session: 'session-1', code: 1000 } });
  // The back end may drop an event whose id it has seen, and the other node has used that of the session.
  expect(closed?.id).not.toBe('evt_session-1_closed');
});

it('tells nothing of sessions that came back to another node, or have ended here meanwhile', async () => {
  const { sessions, presence, told } = node('session.*');
  sessions.emit('opened', SESSION);
  sessions.emit('closed', SESSION, 1000, '');
  const [, closed] = await told();
  expect(closed?.id).toBe('evt_session-1_closed');
  presence.listener?.back(presence.place, ABOUT);
  presence.listener?.back('@hook-sessions:another' as ChannelName, ABOUT);
  expect(await told()).toEqual([]);
});

it('tells the end of the sessions of a lost node, with the id that any other node would give it', async () => {
  const { presence, told } = node('session.closed');
  presence.listener?.lost('@hook-sessions:another' as ChannelName, ABOUT);
  expect(await told()).toMatchObject([
    { type: 'session.closed', id: 'evt_session-1_closed', data: { session: 'session-1', code: 1006 } },
  ]);
});

it('tells a channel as vacated with the node that it was lost with, and as occupied when that is back', async () => {
  const { presence, told } = node('channel.*');
  const place = '@hook-channel:room:a' as ChannelName;
  presence.listener?.lost(place, '*');
  expect(await told()).toMatchObject([{ type: 'channel.vacated', data: { channel: 'room:a' } }]);
  presence.listener?.back(place, '*');
  expect(await told()).toMatchObject([{ type: 'channel.occupied', data: { channel: 'room:a' } }]);
});
