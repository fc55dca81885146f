import { randomUUID } from 'node:crypto';
import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import { HOOK_EVENTS, matcherOf, type EventHook, type HookEventType } from '../../config/hooks.js';
import type { ChannelName } from '../cluster/ports/broker.js';
import type { NodeBus } from '../cluster/ports/node-bus.js';
import type { PresenceStore } from '../cluster/ports/presence-store.js';
import type { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import { sessionForBackEnd } from './answers.js';
import { EventQueue } from './event-queue.js';
import type { HookClients } from './hook-clients.js';
import type { HookEvents } from './hook-events.js';
import { SharedRoll } from './shared-roll.js';

/** How long the end of the process waits for the back end. */
const FLUSH_MS = 5_000;
/** And then for Redis. */
const ROLL_MS = 2_000;
const SESSIONS = '@hook-sessions:';
const CHANNELS = '@hook-channel:';
/** Stands for whoever is in the channel. */
const SOMEONE = '*';

interface EventHookParts {
  readonly hook: EventHook;
  readonly clients: HookClients;
  readonly events: HookEvents;
  readonly sessions: SessionEvents;
  readonly presence: PresenceStore;
  readonly bus: NodeBus;
}

/**
 * Tells the back end of sessions, channels and members that come and go. What a killed node cannot tell is told by the
 * node that removes its entries.
 */
export class EventHooks implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly queue: EventQueue;
  private readonly wanted: ReadonlySet<HookEventType>;
  private readonly roll: SharedRoll;
  /** Names this process in the roll. */
  private readonly id = randomUUID();
  private readonly place = `${SESSIONS}${this.id}` as ChannelName;
  /** Sessions that another node has told as closed, because this one was cut off. */
  private readonly reopened = new Set<string>();

  constructor(private readonly parts: EventHookParts) {
    const { hook, presence } = parts;
    this.queue = new EventQueue(parts);
    this.roll = new SharedRoll(presence, { changed: (place, isIn) => this.rollChanged(place, isIn) });
    const patterns = hook.types.map(matcherOf);
    this.wanted = new Set(HOOK_EVENTS.filter((type) => patterns.some((matches) => matches(type))));
    this.watchSessions();
    if (this.wanted.has('channel.occupied') || this.wanted.has('channel.vacated')) this.watchChannels();
    presence.listen({
      lost: (place, text) => this.lost(place, text),
      back: (place, text) => this.back(place, text),
    });
  }

  /** After the drain, which ended the sessions, and before the connection to Redis is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    // With other nodes, clients go there and keep their channels occupied.
    if (!this.parts.bus.reachesOthers) await this.roll.leaveAll();
    await this.queue.close(FLUSH_MS);
    await this.roll.close(ROLL_MS);
  }

  /** What happened after the drain. */
  async onApplicationShutdown(): Promise<void> {
    await this.queue.close(FLUSH_MS);
  }

  private watchSessions(): void {
    const { sessions, bus } = this.parts;
    const areShared = bus.reachesOthers && this.wanted.has('session.closed');
    sessions.on('opened', (session) => {
      const about = sessionForBackEnd(session);
      this.tell('session.opened', about);
      if (areShared) this.roll.enter(this.place, session.id, JSON.stringify(about));
    });
    sessions.on('closed', (session, code, reason) => this.closed(session, { code, reason }));
    sessions.on('joined', (channel, userId) => this.tell('member.joined', { channel, user: userId }));
    sessions.on('left', (channel, userId) => this.tell('member.left', { channel, user: userId }));
  }

  private watchChannels(): void {
    const { sessions } = this.parts;
    sessions.on('occupied', (channel) => this.roll.enter(`${CHANNELS}${channel}` as ChannelName, this.id, SOMEONE));
    sessions.on('vacated', (channel) => this.roll.leave(`${CHANNELS}${channel}` as ChannelName, this.id));
  }

  /** It stays in the roll until the back end knows, so that it is told also if this node is killed before. */
  private closed(session: Session, how: { readonly code: number; readonly reason: string }): void {
    if (!this.wanted.has('session.closed')) return;
    const { id } = session;
    this.queue.push(
      'session.closed',
      { ...sessionForBackEnd(session), ...how },
      {
        id: this.reopened.delete(id) ? undefined : closedId(id),
        settled: () => this.roll.leave(this.place, id),
      },
    );
  }

  private rollChanged(place: ChannelName, isIn: boolean): void {
    if (place.startsWith(CHANNELS)) this.tellChannel(place, isIn);
  }

  private lost(place: ChannelName, text: string): void {
    if (place.startsWith(CHANNELS)) return this.tellChannel(place, false);
    if (!place.startsWith(SESSIONS) || !this.wanted.has('session.closed')) return;
    const about = JSON.parse(text) as { readonly session: string };
    const data = { ...about, code: 1006, reason: 'The node was lost' };
    this.queue.push('session.closed', data, { id: closedId(about.session) });
  }

  /** This node was only cut off, and another one has told the end of what is still here. */
  private back(place: ChannelName, text: string): void {
    if (place.startsWith(CHANNELS)) return this.tellChannel(place, true);
    if (place !== this.place) return;
    const about = JSON.parse(text) as { readonly session: string };
    if (!this.roll.has(place, about.session)) return;
    this.reopened.add(about.session);
    this.tell('session.opened', about);
  }

  private tellChannel(place: ChannelName, isOccupied: boolean): void {
    this.tell(isOccupied ? 'channel.occupied' : 'channel.vacated', { channel: place.slice(CHANNELS.length) });
  }

  private tell(type: HookEventType, data: object): void {
    if (this.wanted.has(type)) this.queue.push(type, data);
  }
}

/** The same on every node, so that the back end can drop it if two nodes tell it. */
function closedId(session: string): string {
  return `evt_${session}_closed`;
}
