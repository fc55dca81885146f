import { Body, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import { Precedence } from '../../access/lists/precedence.js';
import { RevocationOrders, type Ordered, type SessionRevoked } from '../../access/lists/revocation-orders.js';
import { Revocations } from '../../access/lists/revocations.js';
import { givenBy } from '../../access/lists/standing.js';
import type { Principal } from '../../authentication/principal.js';
import { withoutGiver, type GivenOrder } from '../../cluster/ports/given-order.js';
import type { UserRevocation } from '../../cluster/ports/revocation-store.js';
import { ApiController, Problems, WithBody } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { Caller } from '../http/caller.js';
import { ProblemError } from '../http/problem.js';
import { RevocationPath, RevocationRequest, RevocationsAnswer, RevokedAnswer } from './revocations.requests.js';

const MAX_LISTED = 10_000;

@ApiController('Revocations')
export class RevocationsController {
  constructor(
    private readonly revocations: Revocations,
    private readonly orders: RevocationOrders,
    private readonly precedence: Precedence,
  ) {}

  @Get('revocations')
  @ApiOperation({ summary: 'List the revocations in force on all nodes' })
  async list(): Promise<RevocationsAnswer> {
    const revocations = (await this.revocations.list()).filter((one) => one.kind !== 'rights');
    return { revocations: revocations.slice(0, MAX_LISTED).map(withoutGiver), total: revocations.length };
  }

  @Post('revocations')
  @HttpCode(200)
  @Audited('revoke', 'kind', 'key')
  @ApiOperation({
    summary:
      'Revoke a token, all tokens of a user, or the token of a session, and close the sessions they opened with 4401',
  })
  @Problems(404)
  @WithBody()
  async revoke(@Caller() caller: Principal, @Body() request: RevocationRequest): Promise<RevokedAnswer> {
    const { kind, key } = request;
    // Giving the same order again replaces it, so the caller must be allowed to replace the existing one.
    if (kind !== 'session') this.precedence.demandUndo(caller, this.revocations.get(kind, key));
    await this.precedence.demandOver(caller, { by: kind, id: key });
    const ordered = await this.order(request, givenBy(caller));
    if (ordered === undefined) throw new ProblemError(404, 'No such session');
    const { ended, missing, revocation } = ordered;
    return { sessions: ended, missing, ...(revocation !== undefined && { revocation: withoutGiver(revocation) }) };
  }

  @Delete('revocations/:kind/:key')
  @HttpCode(204)
  @Audited('lift-revocation', 'kind', 'key')
  @ApiOperation({ summary: 'Lift a revocation. Tokens that have not expired are valid again' })
  @ApiNoContentResponse({ description: 'Lifted' })
  @Problems(404, 422)
  async lift(@Caller() caller: Principal, @Param() { kind, key }: RevocationPath): Promise<void> {
    await this.demandUndo(caller, kind, key);
    if (!(await this.revocations.lift(kind, key, givenBy(caller)))) throw new ProblemError(404, 'No such revocation');
  }

  /** The store, which checks givers, does not know whom an order is about. */
  private async demandUndo(caller: Principal, kind: 'token' | 'user', key: string): Promise<void> {
    const isOwn = kind === 'user' && key === caller.userId;
    const order = isOwn ? await this.revocations.find(kind, key) : this.revocations.get(kind, key);
    this.precedence.demandUndo(caller, order && { ...order, ...(kind === 'user' && { userId: key }) });
  }

  private order(
    { kind, key, until, reason, issuedBefore }: RevocationRequest,
    given: GivenOrder,
  ): Promise<SessionRevoked | Ordered<UserRevocation> | undefined> {
    const options = { until, reason, issuedBefore, ...given };
    if (kind === 'token') return this.orders.revokeToken(key, options);
    return kind === 'user' ? this.orders.revokeUser(key, options) : this.orders.revokeSession(key, options);
  }
}
