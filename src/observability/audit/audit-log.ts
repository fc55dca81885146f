import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import { Settings } from '../../../config/settings.js';
import type { Principal } from '../../authentication/principal.js';
import type { Session } from '../../sessions/session.js';
import { clientAddress } from '../../access/limits/address-key.js';
import { AuditBudget } from './audit-budget.js';
import { AuditTail, type AuditCause } from './audit-tail.js';
import { groupOf, type AuditEvent, type AuditFields, type SessionAuditEvent } from './audit-catalogue.js';
import { clientText } from '../client-text.js';
import { LineFile } from '../logs/line-file.js';
import { createLogger } from '../logs/logger.js';
import { Logs } from '../logs/logs.js';
import { METRIC } from '../metrics/metrics.js';

/** Marks a line of the audit log among those of the log. */
const MARK = 'audit';
const PERIOD_MS = 10_000;

/** The audit log: one JSON line for each event, in its own file or marked among the lines of the log. */
@Injectable()
export class AuditLog implements OnApplicationBootstrap, OnApplicationShutdown {
  /** The newest lines. */
  readonly tail = new AuditTail();
  private readonly budget: AuditBudget;
  private readonly file: LineFile | undefined;
  private readonly lines: Logger;
  private readonly readsTokens: boolean;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    { audit, authentication, server }: Settings,
    private readonly logs: Logs,
    @InjectMetric(METRIC.auditFailures) private readonly failures: Counter,
    @InjectMetric(METRIC.auditLost) private readonly lost: Counter,
    @InjectMetric(METRIC.auditLeftOut) private readonly leftOut: Counter,
  ) {
    this.budget = new AuditBudget({ perSource: audit.linesPerSource, perGroup: audit.linesPerGroup });
    this.readsTokens = authentication.mode !== 'off';
    this.file = audit.file === undefined ? undefined : this.opened(audit.file);
    this.lines = this.file ? createLogger(server, this.file) : logs.root;
  }

  /** Bytes that wait for the file. */
  get waitingBytes(): number {
    return this.file?.waitingBytes ?? 0;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.turn(), PERIOD_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.turn();
    this.write('stopped', {});
    await this.file?.close();
  }

  /** Writes a line without any limit. */
  write<Event extends AuditEvent>(event: Event, fields: AuditFields<Event>): void {
    this.put('server', event, fields);
  }

  /**
   * Writes a line that a client can cause, unless its source has used up its lines.
   *
   * @param fields called only if the line is written
   * @param source an address or user, of bounded length
   */
  writeBounded<Event extends AuditEvent>(event: Event, source: string, fields: () => AuditFields<Event>): void {
    const group = groupOf(event);
    if (group === undefined || this.budget.take(group, source)) this.put('clients', event, fields());
  }

  /**
   * Writes a line about a session, which its client can cause.
   *
   * @param more called only if the line is written
   */
  writeOf<Event extends SessionAuditEvent>(
    event: Event,
    session: Pick<Session, 'id' | 'principal' | 'address'>,
    more?: () => AuditFields<Event>,
  ): void {
    this.writeBounded(event, this.sourceOf(session.principal, session.address), () => ({
      session: session.id,
      user: clientText(session.principal.userId),
      address: clientText(session.address),
      ...more?.(),
    }));
  }

  /**
   * The source of a session's lines. A client without a token has a new user id each time, and would be a new source.
   */
  sourceOf({ anonymous, userId }: Principal, address: string): string {
    const isNamed = !anonymous && this.readsTokens;
    return isNamed ? `user ${clientText(userId)}` : addressSource(address);
  }

  private put(cause: AuditCause, event: AuditEvent, fields: object): void {
    this.lines.info({ event, ...fields }, MARK);
    this.tail.add(cause, event, fields);
  }

  /** Ends a period and reports what was omitted in it. */
  private turn(): void {
    for (const { group, source, sources, leftOut } of this.budget.turn()) {
      this.leftOut.inc({ group }, leftOut);
      this.write('left_out', { group, source, sources, leftOut });
    }
  }

  private opened(path: string): LineFile {
    const file = new LineFile(path, { setting: 'AUDIT_FILE' });
    file.on('refused', () => this.failures.inc());
    file.on('dropped', () => this.lost.inc());
    file.on('failed', (reason) => this.logs.write('audit_failed', () => ({ file: path, reason })));
    file.on('recovered', (lost) => {
      this.logs.write('audit_recovered', () => ({ file: path, lost }));
      if (lost > 0) this.write('lines_lost', { lost });
    });
    return file;
  }
}

/** For IPv6 the /64, which is what one customer gets. */
export function addressSource(address: string): string {
  return `address ${clientText(clientAddress(address).limitKey)}`;
}
