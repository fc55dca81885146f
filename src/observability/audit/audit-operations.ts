import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { VERSION } from '../../../config/version.js';
import { AccessEvents } from '../../access/access-events.js';
import type { Ban } from '../../cluster/ports/ban-store.js';
import { Drain } from '../../lifecycle/drain.js';
import { ApiEvents } from '../api-events.js';
import type { AuditFields } from './audit-catalogue.js';
import { addressSource, AuditLog } from './audit-log.js';
import { auditedSettings } from './audit-settings.js';
import { clientText } from '../client-text.js';

const MAX_TARGET_LENGTH = 256;

/** Writes what operators and the server itself do to the audit log. */
@Injectable()
export class AuditOperations implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly settings: Settings,
    private readonly log: AuditLog,
    private readonly access: AccessEvents,
    private readonly drain: Drain,
    private readonly api: ApiEvents,
  ) {}

  onModuleInit(): void {
    this.watchAccess();
    this.watchOperators();
  }

  onApplicationBootstrap(): void {
    this.log.write('started', { version: VERSION, settings: auditedSettings(this.settings) });
  }

  private watchAccess(): void {
    this.access.on('banned', (ban) => {
      if (ban.by === 'operator') this.log.write('banned', shownBan(ban));
      else this.log.writeBounded('banned', addressSource(ban.key), () => shownBan(ban));
    });
    this.access.on('lifted', ({ kind, key }) => this.log.write('ban_lifted', { kind, key: clientText(key) }));
    this.access.on('expelled', (session) => this.log.writeOf('session_expelled', session));
  }

  private watchOperators(): void {
    const { log } = this;
    this.drain.on('began', ({ leaving: sessions, reconnectWindowMs }) =>
      log.write('drain_begun', { sessions, reconnectWindowMs }),
    );
    this.drain.on('ended', (durationMs, cut) => log.write('drain_finished', { durationMs, cut }));
    // Not limited: only operators can cause it, and an audit must not have gaps.
    this.api.on('audited', ({ who, action, target, outcome }) =>
      log.write('api_call', { who: clientText(who), action, target: clientText(target, MAX_TARGET_LENGTH), outcome }),
    );
    this.api.on('refused', (status, address) =>
      log.writeBounded('api_refused', addressSource(address), () => ({ status, address: clientText(address) })),
    );
  }
}

function shownBan({ kind, key, until, reason, by }: Ban): AuditFields<'banned'> {
  return { kind, key: clientText(key), until: shownTime(until), reason: clientText(reason), by };
}

/** An operator may ban beyond the last date of JavaScript. */
function shownTime(milliseconds: number): string | number {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? milliseconds : date.toISOString();
}
