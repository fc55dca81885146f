import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { ChannelHub } from '../channels/channel-hub.js';
import { NodeBus } from '../cluster/ports/node-bus.js';
import { NodeRegistry } from '../cluster/ports/node-registry.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';
import { summaryOf, type SessionSummary } from './session-summary.js';

/** A session with its rates in the second that was measured. */
export interface BusySession extends SessionSummary {
  /** Messages from the client in a second. */
  readonly receivedPerSecond: number;
  /** Messages to the client in a second. */
  readonly sentPerSecond: number;
}

/** The sessions of all nodes that send the most. */
export interface BusiestPage {
  /** Those with the most messages in a second first. Sessions without a message are left out. */
  readonly sessions: readonly BusySession[];
  /** Nodes that did not answer. Their sessions are not listed. */
  readonly missing: readonly string[];
}

interface Counts {
  readonly received: number;
  readonly sent: number;
}

export const MAX_BUSIEST = 50;
const WINDOW_MS = 1_000;
/** The window, and what a node usually has for an answer. */
const ANSWER_MS = WINDOW_MS + 2_000;
const KIND = 'busiest-sessions';
const NONE: Counts = { received: 0, sent: 0 };

/** Measures on demand: what nobody asks for costs nothing. */
@Injectable()
export class BusiestSessions {
  private measuring: Promise<readonly BusySession[]> | undefined;

  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly sessions: SessionRegistry,
    private readonly hub: ChannelHub,
  ) {
    bus.handle(KIND, () => this.here());
  }

  /** Watches all nodes for a second. */
  async read(limit: number): Promise<BusiestPage> {
    const [{ received, missing }, here] = await Promise.all([
      this.bus.ask<readonly BusySession[]>(KIND, null, { timeoutMs: ANSWER_MS }),
      this.here(),
    ]);
    return { sessions: busiest([...here, ...[...received.values()].flat()], limit), missing };
  }

  /** All who ask in the same second get the same answer. */
  private here(): Promise<readonly BusySession[]> {
    this.measuring ??= this.measure().finally(() => (this.measuring = undefined));
    return this.measuring;
  }

  private async measure(): Promise<readonly BusySession[]> {
    const startedAt = performance.now();
    const before = new Map([...this.sessions].map((session) => [session, countsOf(session)]));
    await pause(WINDOW_MS, undefined, { ref: false });
    const seconds = (performance.now() - startedAt) / 1_000;
    const { nodeId } = this.registry.self;
    let found: BusySession[] = [];
    for (const session of this.sessions) {
      const { received, sent } = before.get(session) ?? NONE;
      const receivedPerSecond = perSecond(session.messagesReceived - received, seconds);
      const sentPerSecond = perSecond(session.messagesSent - sent, seconds);
      if (receivedPerSecond === 0 && sentPerSecond === 0) continue;
      found.push({ ...summaryOf(session, nodeId, this.hub), receivedPerSecond, sentPerSecond });
      // Not all sessions of a large node at once.
      if (found.length >= 2 * MAX_BUSIEST) found = busiest(found, MAX_BUSIEST);
    }
    return busiest(found, MAX_BUSIEST);
  }
}

function countsOf({ messagesReceived, messagesSent }: Session): Counts {
  return { received: messagesReceived, sent: messagesSent };
}

function perSecond(messages: number, seconds: number): number {
  return Math.round((messages / seconds) * 10) / 10;
}

/** A client is blamed for what it sends, and only then for what it gets. */
function busiest(sessions: readonly BusySession[], limit: number): BusySession[] {
  return sessions
    .toSorted(
      (left, right) => right.receivedPerSecond - left.receivedPerSecond || right.sentPerSecond - left.sentPerSecond,
    )
    .slice(0, limit);
}
