import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { ClusterEvents } from '../cluster/cluster-events.js';
import { DispatchEvents } from '../dispatch/dispatch-events.js';
import { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import { UpgradeEvents } from '../upgrade/upgrade-events.js';
import { BurstGuard } from './burst-guard.js';

export const LOGGER = Symbol('Logger');

/**
 * One line when a session opens and one when it closes; refusals, slow readers and faults at a bounded rate.
 * Nothing here ever holds a token or a payload.
 */
@Injectable()
export class ConnectionLog implements OnModuleInit {
  private readonly guard = new BurstGuard();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly sessions: SessionEvents,
    private readonly upgrades: UpgradeEvents,
    private readonly messages: DispatchEvents,
    private readonly cluster: ClusterEvents,
  ) {}

  onModuleInit(): void {
    if (this.logger.isLevelEnabled('info')) {
      this.sessions.on('opened', (session) => this.logger.info(describe(session), 'session opened'));
      this.sessions.on('closed', (session, code) =>
        this.logger.info({ ...describe(session), ...summary(session, code) }, 'session closed'),
      );
    }
    this.sessions.on('overflowed', (session, reason, droppedFrames) => {
      this.bounded('overflowed', (leftOut) =>
        this.logger.warn({ ...describe(session), reason, droppedFrames, ...leftOut }, 'slow consumer cut off'),
      );
    });
    this.sessions.on('vanished', (session) => {
      this.bounded('vanished', (leftOut) => this.logger.info({ ...describe(session), ...leftOut }, 'client vanished'));
    });
    this.sessions.on('breached', (session, reason) => {
      this.bounded(`breached:${reason}`, (leftOut) =>
        this.logger.info({ ...describe(session), reason, ...leftOut }, 'client broke a rule'),
      );
    });
    this.upgrades.on('cut', (reason, address) => {
      this.bounded(`cut:${reason}`, (leftOut) =>
        this.logger.info({ reason, address, ...leftOut }, 'connection cut off before a request'),
      );
    });
    this.upgrades.on('refused', (reason, address) => {
      this.bounded(`refused:${reason}`, (leftOut) =>
        this.logger.info({ reason, address, ...leftOut }, 'upgrade refused'),
      );
    });
    const crashed = (where: string, exception: unknown): void =>
      this.bounded('crashed', (leftOut) => this.logger.error({ where, err: exception, ...leftOut }, 'handler failed'));
    this.messages.on('crashed', crashed);
    this.sessions.on('crashed', crashed);
    this.cluster.on('crashed', crashed);
  }

  private bounded(kind: string, write: (leftOut: { leftOut?: number }) => void): void {
    this.guard.write(kind, (leftOut) => write(leftOut > 0 ? { leftOut } : {}));
  }
}

function describe({ id, userId, address, codec }: Session): Record<string, unknown> {
  return { session: id, user: userId, address, protocol: codec.subprotocol };
}

function summary({ openedAt, messagesReceived, messagesSent }: Session, code: number): Record<string, unknown> {
  return { code, durationMs: Date.now() - openedAt, received: messagesReceived, sent: messagesSent };
}
