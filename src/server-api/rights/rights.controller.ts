import { Body, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import { Precedence } from '../../access/lists/precedence.js';
import { RevocationOrders } from '../../access/lists/revocation-orders.js';
import { Revocations } from '../../access/lists/revocations.js';
import { givenBy } from '../../access/lists/standing.js';
import type { Principal } from '../../authentication/principal.js';
import type { RightsChange } from '../../cluster/ports/revocation-store.js';
import { ApiController, Problems, WithBody } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { Caller } from '../http/caller.js';
import { UserPath } from '../messages/messages.requests.js';
import { ProblemError } from '../http/problem.js';
import { RightsChangedAnswer, RightsListAnswer, RightsRequest, type RightsAnswer } from './rights.requests.js';

const MAX_LISTED = 10_000;

@ApiController('Rights')
export class RightsController {
  constructor(
    private readonly revocations: Revocations,
    private readonly orders: RevocationOrders,
    private readonly precedence: Precedence,
  ) {}

  @Get('rights')
  @ApiOperation({ summary: 'List the users whose rights differ from their tokens' })
  async list(): Promise<RightsListAnswer> {
    const rights = (await this.revocations.list()).filter((one) => one.kind === 'rights').map(answerOf);
    return { rights: rights.slice(0, MAX_LISTED), total: rights.length };
  }

  @Put('users/:userId/rights')
  @Audited('change-rights', 'userId')
  @ApiOperation({
    summary: 'Replace the rights in a user’s tokens, for all tokens issued before now, at once and on all nodes',
  })
  @WithBody()
  async change(
    @Caller() caller: Principal,
    @Param() { userId }: UserPath,
    @Body() { roles, channels, until, reason }: RightsRequest,
  ): Promise<RightsChangedAnswer> {
    this.precedence.demandGrant(caller, roles);
    await this.demandUndo(caller, userId);
    await this.precedence.demandOver(caller, { by: 'user', id: userId });
    const order = { roles, channels, until, reason, ...givenBy(caller) };
    const { changed, dropped, missing, revocation } = await this.orders.changeRights(userId, order);
    return { sessions: changed, dropped, missing, rights: answerOf(revocation) };
  }

  @Delete('users/:userId/rights')
  @HttpCode(204)
  @Audited('restore-rights', 'userId')
  @ApiOperation({ summary: 'Remove the changed rights of a user, so that the rights in the tokens apply again' })
  @ApiNoContentResponse({ description: 'Removed' })
  @Problems(404, 422)
  async restore(@Caller() caller: Principal, @Param() { userId }: UserPath): Promise<void> {
    await this.demandUndo(caller, userId);
    const wasThere = await this.revocations.lift('rights', userId, givenBy(caller));
    if (!wasThere) throw new ProblemError(404, 'This user has no changed rights');
  }

  /** The store, which checks givers, does not know whom an order is about. */
  private async demandUndo(caller: Principal, userId: string): Promise<void> {
    const isOwn = userId === caller.userId;
    const order = isOwn ? await this.revocations.find('rights', userId) : this.revocations.get('rights', userId);
    this.precedence.demandUndo(caller, order && { ...order, userId });
  }
}

function answerOf({ key, roles, channels, issuedBefore, until, reason }: RightsChange): RightsAnswer {
  return { userId: key, roles, ...(channels !== undefined && { channels }), issuedBefore, until, reason };
}
