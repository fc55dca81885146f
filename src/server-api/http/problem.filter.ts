import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { ApiEvents } from '../../observability/api-events.js';
import type { ApiRequest } from './caller.js';
import { isExpected, problemOf, sendProblem } from './problem.js';

/** Sends anything that a handler, guard or pipe of the API throws as application/problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly events: ApiEvents) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    if (!isExpected(exception)) {
      this.events.emit('crashed', http.getRequest<ApiRequest>().route?.path ?? 'none', exception);
    }
    sendProblem(http.getResponse<ServerResponse>(), problemOf(exception));
  }
}
