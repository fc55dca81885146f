import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { credentialSource } from '../../authentication/credentials.js';
import { hasSameRights, type Principal } from '../../authentication/principal.js';
import { DispatchEvents } from '../../dispatch/dispatch-events.js';
import { SessionEvents } from '../../sessions/session-events.js';
import { UpgradeEvents, type AcceptedAttempt, type RefusedAttempt } from '../../upgrade/upgrade-events.js';
import type { AuditFields } from './audit-catalogue.js';
import { addressSource, AuditLog } from './audit-log.js';
import { clientPath, clientText } from '../client-text.js';

/** Refusals that suggest an attempt at something forbidden. Refusals because of form or rate are only counted. */
const AUDITED_CODES = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'DECRYPTION_FAILED',
  'DUPLICATE_MESSAGE',
  'STALE_MESSAGE',
]);
const MAX_ROLES = 16;

/** Writes upgrades and sessions to the audit log. */
@Injectable()
export class AuditObserver implements OnModuleInit {
  constructor(
    private readonly settings: Settings,
    private readonly log: AuditLog,
    private readonly upgrades: UpgradeEvents,
    private readonly sessions: SessionEvents,
    private readonly messages: DispatchEvents,
  ) {}

  onModuleInit(): void {
    this.watchConnections();
    this.watchSessions();
  }

  private watchConnections(): void {
    const { log } = this;
    this.upgrades.on('accepted', (attempt) => {
      const { principal, address } = attempt;
      log.writeBounded('connection_accepted', log.sourceOf(principal, address), () => this.accepted(attempt));
    });
    this.upgrades.on('refused', (reason, address, attempt) =>
      log.writeBounded('connection_refused', addressSource(address), () => ({
        reason,
        address: clientText(address),
        ...this.refused(attempt),
      })),
    );
    this.upgrades.on('cut', (reason, address) =>
      log.writeBounded('connection_cut', addressSource(address), () => ({ reason, address: clientText(address) })),
    );
  }

  private watchSessions(): void {
    this.sessions.on('closed', (session, code) => {
      const durationMs = Date.now() - session.openedAt;
      this.log.writeOf('connection_closed', session, () => ({ code, durationMs }));
    });
    this.sessions.on('breached', (session, reason) => this.log.writeOf('rule_broken', session, () => ({ reason })));
    this.sessions.on('refreshed', (session, { tokenId: formerToken }) =>
      this.log.writeOf('auth_refreshed', session, () => ({
        ...tokenOf(session.principal),
        formerToken: clientText(formerToken),
      })),
    );
    this.sessions.on('renewed', (session, former) => {
      if (hasSameRights(former, session.principal)) return;
      this.log.writeOf('rights_changed', session, () => ({
        roles: shownRoles(session.principal),
        formerRoles: shownRoles(former),
      }));
    });
    this.sessions.on('dropped', (session, channel, lost) =>
      this.log.writeOf('subscription_dropped', session, () => ({ channel: clientText(channel), lost })),
    );
    this.messages.on('failed', (code, session, type) => {
      if (type === 'auth_refresh') this.log.writeOf('auth_refresh_refused', session, () => ({ code }));
      else if (AUDITED_CODES.has(code)) {
        this.log.writeOf('message_refused', session, () => ({ type: clientText(type), code }));
      }
    });
  }

  private accepted({
    request,
    principal,
    sessionId,
    codec,
    address,
  }: AcceptedAttempt): AuditFields<'connection_accepted'> {
    const { mode } = this.settings.authentication;
    return {
      session: sessionId,
      user: clientText(principal.userId),
      address: clientText(address),
      anonymous: principal.anonymous,
      protocol: codec.subprotocol,
      auth: mode,
      // If tokens are not read, there is no credential.
      credential: mode === 'off' ? 'none' : credentialSource(request),
      ...tokenOf(principal),
      origin: clientText(request.headers.origin),
      path: clientPath(request.url),
    };
  }

  private refused({ request, principal }: RefusedAttempt): AuditFields<'connection_refused'> {
    return {
      user: clientText(principal?.userId),
      credential: credentialSource(request),
      origin: clientText(request.headers.origin),
      path: clientPath(request.url),
    };
  }
}

function tokenOf(principal: Principal): { roles: readonly string[]; token?: string; expires?: string } {
  const { tokenId, expiresAt } = principal;
  const token = clientText(tokenId);
  return {
    roles: shownRoles(principal),
    ...(token !== undefined && { token }),
    ...(expiresAt !== undefined && { expires: new Date(expiresAt).toISOString() }),
  };
}

function shownRoles({ roles }: Principal): readonly string[] {
  return roles.slice(0, MAX_ROLES).map((role) => clientText(role) ?? '');
}
