import { Injectable, SetMetadata, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { tap, type Observable } from 'rxjs';
import { ApiEvents, type AuditEntry } from '../../observability/api-events.js';
import { callerOf, type ApiRequest } from './caller.js';
import { problemOf } from './problem.js';

const AUDITED = 'gatehouse:audited';
const MAX_TARGET_LENGTH = 256;

interface Audited {
  readonly action: string;
  /** The fields of path, query and body that name the target. */
  readonly target: readonly string[];
}

/**
 * For a handler that changes something, or shows something confidential: each call is reported as an AuditEntry, never
 * with its payload.
 */
export function Audited(action: string, ...target: readonly string[]): MethodDecorator {
  return SetMetadata(AUDITED, { action, target } satisfies Audited);
}

@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly events: ApiEvents,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const audited = this.reflector.get<Audited | undefined>(AUDITED, context.getHandler());
    if (audited === undefined) return next.handle();
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const { action } = audited;
    const target = targetOf(request, audited.target);
    const who = callerOf(request).userId;
    const tell = (outcome: AuditEntry['outcome']): unknown =>
      this.events.emit('audited', { who, action, target, outcome });
    return next.handle().pipe(
      tap({
        complete: () => tell('done'),
        error: (error: unknown) => tell(problemOf(error).problem.status),
      }),
    );
  }
}

/** Not validated yet, so anything but text is omitted, and text is cut. */
function targetOf({ params = {}, query = {}, body }: ApiRequest, fields: readonly string[]): string | undefined {
  const given: Record<string, unknown> = { ...(typeof body === 'object' ? body : {}), ...query, ...params };
  const parts = fields.map((field) => given[field]).filter((part) => typeof part === 'string');
  return parts.length === 0 ? undefined : parts.join(' ').slice(0, MAX_TARGET_LENGTH);
}
