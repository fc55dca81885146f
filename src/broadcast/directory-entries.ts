import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ConnectionDirectory, type DirectoryAction } from '../cluster/ports/connection-directory.js';
import { NodeRegistry } from '../cluster/ports/node-registry.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';

/** Entries that are written again at one time. */
const BATCH = 500;
/** Nodes that gave this node up may still be removing its entries. */
const DELAY_MS = 1_000;

/** Enters the sessions of this node into the connection directory, and removes them when they close. */
@Injectable()
export class DirectoryEntries implements OnApplicationShutdown {
  private renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly directory: ConnectionDirectory,
    registry: NodeRegistry,
    private readonly sessions: SessionRegistry,
  ) {
    if (!directory.isOpen) return;
    sessions.events.on('opened', (session) => void this.tell('add', session));
    sessions.events.on('closed', (session) => void this.tell('remove', session));
    registry.listen({ lost: () => {}, forgotten: () => this.renewLater() });
  }

  onApplicationShutdown(): void {
    clearTimeout(this.renewal);
  }

  private tell(action: DirectoryAction, { id, principal }: Session): Promise<void> {
    return this.directory.tell(action, id, principal.anonymous ? null : principal.userId);
  }

  /** This node was taken for lost, and its entries were removed. */
  private renewLater(): void {
    clearTimeout(this.renewal);
    this.renewal = setTimeout(() => void this.renew(), DELAY_MS).unref();
  }

  private async renew(): Promise<void> {
    const sessions = [...this.sessions];
    for (let start = 0; start < sessions.length; start += BATCH) {
      const open = sessions.slice(start, start + BATCH).filter(({ id }) => this.sessions.get(id) !== undefined);
      await Promise.all(open.map((session) => this.tell('add', session)));
    }
  }
}
