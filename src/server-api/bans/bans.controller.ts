import { Body, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import { Bans } from '../../access/lists/bans.js';
import { Precedence } from '../../access/lists/precedence.js';
import { givenBy } from '../../access/lists/standing.js';
import type { Principal } from '../../authentication/principal.js';
import type { Ban } from '../../cluster/ports/ban-store.js';
import { withoutGiver } from '../../cluster/ports/given-order.js';
import { ApiController, Problems, WithBody } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { Caller } from '../http/caller.js';
import { BanPath, BanRequest, BansAnswer } from './bans.requests.js';
import { SessionsAnswer } from '../messages/messages.requests.js';
import { ProblemError } from '../http/problem.js';

const MAX_LISTED = 10_000;

@ApiController('Bans')
export class BansController {
  constructor(
    private readonly bans: Bans,
    private readonly precedence: Precedence,
  ) {}

  @Get('bans')
  @ApiOperation({ summary: 'List the bans in force on all nodes' })
  async list(): Promise<BansAnswer> {
    const bans = await this.bans.list();
    return { bans: bans.slice(0, MAX_LISTED).map(withoutGiver), total: bans.length };
  }

  @Post('bans')
  @HttpCode(200)
  @Audited('ban', 'kind', 'key')
  @ApiOperation({
    summary: 'Ban an address or a user, and end the sessions of the user. A second request replaces the ban',
  })
  @WithBody()
  async ban(
    @Caller() caller: Principal,
    @Body() { kind, key, durationMs, reason = '' }: BanRequest,
  ): Promise<SessionsAnswer> {
    await this.demandUndo(caller, { kind, key });
    if (kind === 'user') await this.precedence.demandOver(caller, { by: 'user', id: key });
    return { sessions: await this.bans.ban({ kind, key, durationMs, reason, ...givenBy(caller) }) };
  }

  @Delete('bans/:kind/:key')
  @HttpCode(204)
  @Audited('lift-ban', 'kind', 'key')
  @ApiOperation({ summary: 'Lift a ban' })
  @ApiNoContentResponse({ description: 'Lifted' })
  @Problems(404, 422)
  async lift(@Caller() caller: Principal, @Param() { kind, key }: BanPath): Promise<void> {
    await this.demandUndo(caller, { kind, key });
    if (!(await this.bans.lift(kind, key, givenBy(caller)))) throw new ProblemError(404, 'No such ban');
  }

  /** Every operator may lift an automatic ban. The store, which checks givers, does not know whom an order is about. */
  private async demandUndo(caller: Principal, { kind, key }: Pick<Ban, 'kind' | 'key'>): Promise<void> {
    const isOwn = kind === 'user' && key === caller.userId;
    const ban = isOwn ? await this.bans.find(kind, key) : this.bans.get(kind, key);
    if (ban?.by === 'operator') this.precedence.demandUndo(caller, { ...ban, ...(kind === 'user' && { userId: key }) });
  }
}
