import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessEvents } from '../../access/access-events.js';
import { untilOf } from '../../access/lists/ban-reason.js';
import { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import { SessionEvents } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import { UpgradeEvents } from '../../upgrade/upgrade-events.js';
import { clientText } from '../client-text.js';
import { Logs } from './logs.js';

/**
 * At `info` one line for each session, when it closes, and lines for refusals, slow readers and faults. No line
 * contains a token or a payload.
 */
@Injectable()
export class ConnectionLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    private readonly sessions: SessionEvents,
    private readonly upgrades: UpgradeEvents,
    private readonly cluster: ClusterEvents,
    private readonly access: AccessEvents,
  ) {}

  onModuleInit(): void {
    const { logs, sessions, upgrades, cluster, access } = this;
    this.followSessions();
    sessions.on('overflowed', (session, reason, droppedFrames) =>
      logs.write('slow_consumer', () => ({ ...describe(session), reason, droppedFrames })),
    );
    sessions.on('vanished', (session) => logs.write('client_vanished', () => describe(session)));
    sessions.on('breached', (session, reason) => logs.write('rule_broken', () => ({ ...describe(session), reason })));
    upgrades.on('cut', (reason, address) => logs.write('connection_cut', () => ({ reason, address })));
    upgrades.on('refused', (reason, address, { ban }) =>
      logs.write('upgrade_refused', () => ({ reason, address, ...(ban && { bannedUntil: untilOf(ban) }) })),
    );
    access.on('banned', (ban) => {
      if (ban.by !== 'breach') return;
      logs.write('address_banned', () => ({ reason: ban.reason, address: ban.key, bannedUntil: untilOf(ban) }));
    });
    sessions.on('crashed', (where, err) => logs.write('hook_failed', () => ({ where, err })));
    cluster.on('crashed', (where, err) => logs.write('word_failed', () => ({ where, err })));
  }

  private followSessions(): void {
    const { logs, sessions } = this;
    const opened = (session: Session): void => logs.write('session_opened', () => describe(session));
    const closed = (session: Session, code: number): void =>
      logs.write('session_closed', () => ({ ...describe(session), ...summary(session, code) }));
    logs.follow('session_opened', {
      begin: () => sessions.on('opened', opened),
      end: () => sessions.off('opened', opened),
    });
    logs.follow('session_closed', {
      begin: () => sessions.on('closed', closed),
      end: () => sessions.off('closed', closed),
    });
  }
}

function describe({ id, userId, address, codec }: Session) {
  return { session: id, user: clientText(userId), address, protocol: codec.subprotocol };
}

function summary({ openedAt, messagesReceived, messagesSent }: Session, code: number) {
  return { code, durationMs: Date.now() - openedAt, received: messagesReceived, sent: messagesSent };
}
