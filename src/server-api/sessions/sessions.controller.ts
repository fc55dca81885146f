import { Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import { SessionTermination } from '../../access/session-termination.js';
import { Precedence } from '../../access/lists/precedence.js';
import { givenBy } from '../../access/lists/standing.js';
import type { Principal } from '../../authentication/principal.js';
import { BusiestSessions } from '../../broadcast/busiest-sessions.js';
import { ClusterSessions } from '../../broadcast/cluster-sessions.js';
import { SubscriptionDirectory } from '../../channels/subscription-directory.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { ApiController, Problems } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { Caller } from '../http/caller.js';
import { ONE_MORE, pageOf } from '../http/page.js';
import { SessionsAnswer, UserPath } from '../messages/messages.requests.js';
import { ProblemError } from '../http/problem.js';
import {
  BusiestAnswer,
  BusiestQuery,
  SessionDetailAnswer,
  SessionPageAnswer,
  SessionPath,
  SessionsQuery,
  SubscriptionPageAnswer,
  SubscriptionsQuery,
} from './sessions.requests.js';

const DEFAULT_LIMIT = 100;
const DEFAULT_BUSIEST = 10;

@ApiController('Sessions')
export class SessionsController {
  constructor(
    private readonly sessions: ClusterSessions,
    private readonly busiest: BusiestSessions,
    private readonly subscriptions: SubscriptionDirectory,
    private readonly termination: SessionTermination,
    private readonly precedence: Precedence,
  ) {}

  @Get('sessions')
  @ApiOperation({ summary: 'List the open sessions of all nodes, or those that match' })
  @Problems(422)
  async list(@Query() { after, limit = DEFAULT_LIMIT, ...filter }: SessionsQuery): Promise<SessionPageAnswer> {
    const found = await this.sessions.page({ ...filter, limit: limit + ONE_MORE, afterId: after });
    const { rows, next } = pageOf(found.sessions, limit, ({ sessionId }) => sessionId);
    return { ...found, sessions: rows, ...next };
  }

  @Get('sessions/busiest')
  @ApiOperation({ summary: 'Watch all nodes for a second, and list the sessions that send the most messages' })
  @Problems(422)
  measure(@Query() { limit = DEFAULT_BUSIEST }: BusiestQuery): Promise<BusiestAnswer> {
    return this.busiest.read(limit);
  }

  @Get('sessions/:id')
  @ApiOperation({ summary: 'Show one session: its rights, its queues and its counts' })
  @Problems(404, 422, 504)
  async show(@Param() { id }: SessionPath): Promise<SessionDetailAnswer> {
    const { session, missing } = await this.sessions.show(id);
    return session ?? notFound(missing);
  }

  @Get('sessions/:id/subscriptions')
  @ApiOperation({ summary: 'List the channels that a session is subscribed to' })
  @Problems(404, 422, 504)
  async subscribed(
    @Param() { id: sessionId }: SessionPath,
    @Query() { limit = DEFAULT_LIMIT, after = '' }: SubscriptionsQuery,
  ): Promise<SubscriptionPageAnswer> {
    const { found, missing } = await this.subscriptions.ofSession({ sessionId, limit: limit + ONE_MORE, after });
    if (found === undefined) return notFound(missing);
    const { rows, next } = pageOf(found.subscriptions, limit, ({ channel }) => channel);
    return { ...found, subscriptions: rows, ...next };
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

/** A node that did not answer may have the session. */
function notFound(missing: readonly string[]): never {
  if (missing.length === 0) throw new ProblemError(404, 'No such session');
  throw new GatehouseError('TIMEOUT', { message: 'Some nodes did not answer, and the others do not have the session' });
}
