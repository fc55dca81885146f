import { Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { HookEvents } from '../../hooks/hook-events.js';
import { clientText } from '../client-text.js';
import { AuditLog } from './audit-log.js';

/** Writes what back ends decide about clients to the audit log. */
@Injectable()
export class AuditBackEnds implements OnModuleInit {
  constructor(
    private readonly log: AuditLog,
    @Optional() private readonly events?: HookEvents,
  ) {}

  onModuleInit(): void {
    this.events?.on('decided', ({ hook, endpoint, verdict, session, code, target }) =>
      this.log.writeOf('back_end_decided', session, () => ({
        hook,
        endpoint,
        verdict,
        code: clientText(code),
        target: clientText(target),
      })),
    );
  }
}
