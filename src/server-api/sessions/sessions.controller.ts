import { Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import { SessionTermination } from '../../access/session-termination.js';
import { Precedence } from '../../access/lists/precedence.js';
import { givenBy } from '../../access/lists/standing.js';
import type { Principal } from '../../authentication/principal.js';
import { ClusterSessions } from '../../broadcast/cluster-sessions.js';
import { ApiController, Problems } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { Caller } from '../http/caller.js';
import { SessionsAnswer, UserPath } from '../messages/messages.requests.js';
import { ProblemError } from '../http/problem.js';
import { SessionPageAnswer, SessionPath, SessionsQuery } from './sessions.requests.js';

const DEFAULT_LIMIT = 100;

@ApiController('Sessions')
export class SessionsController {
  constructor(
    private readonly sessions: ClusterSessions,
    private readonly termination: SessionTermination,
    private readonly precedence: Precedence,
  ) {}

  @Get('sessions')
  @ApiOperation({ summary: 'List the open sessions of all nodes' })
  @Problems(422)
  async list(@Query() { userId, after, limit = DEFAULT_LIMIT }: SessionsQuery): Promise<SessionPageAnswer> {
    const sessions = await this.sessions.list({ userId, limit, afterId: after });
    const last = sessions.at(-1);
    return sessions.length < limit || last === undefined ? { sessions } : { sessions, after: last.sessionId };
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  @Audited('end-session', 'id')
  @ApiOperation({ summary: 'Close a session with 4409' })
  @ApiNoContentResponse({ description: 'The session is closing' })
  @Problems(404, 422)
  async end(@Caller() caller: Principal, @Param() { id }: SessionPath): Promise<void> {
    await this.precedence.demandOver(caller, { by: 'session', id });
    if ((await this.termination.session(id, undefined, givenBy(caller))) === 0)
      throw new ProblemError(404, 'No such session');
  }

  @Delete('users/:userId/sessions')
  @Audited('end-sessions', 'userId')
  @ApiOperation({ summary: 'Close all sessions of a user with 4409' })
  @Problems(422)
  async endAll(@Caller() caller: Principal, @Param() { userId }: UserPath): Promise<SessionsAnswer> {
    await this.precedence.demandOver(caller, { by: 'user', id: userId });
    return { sessions: await this.termination.user(userId, undefined, givenBy(caller)) };
  }
}
