import { Body, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Bans } from '../access/bans.js';
import { ApiController, Problems, WithBody } from './api-controller.js';
import { Audited } from './audit.interceptor.js';
import { BanPath, BanRequest, BansAnswer } from './bans.requests.js';
import { SessionsAnswer } from './messages.requests.js';
import { ProblemError } from './problem.js';

const MAX_LISTED = 10_000;

@ApiController('Bans')
export class BansController {
  constructor(private readonly bans: Bans) {}

  @Get('bans')
  @ApiOperation({ summary: 'The bans in force on all nodes' })
  @ApiOkResponse({ type: BansAnswer })
  async list(): Promise<BansAnswer> {
    const bans = await this.bans.list();
    return { bans: bans.slice(0, MAX_LISTED), total: bans.length };
  }

  @Post('bans')
  @HttpCode(200)
  @Audited('ban', 'kind', 'key')
  @ApiOperation({
    summary: 'Keep an address or a user out, and end the sessions of the user; again, to replace the ban',
  })
  @ApiOkResponse({ type: SessionsAnswer })
  @WithBody()
  async ban(@Body() { kind, key, durationMs, reason = '' }: BanRequest): Promise<SessionsAnswer> {
    return { sessions: await this.bans.ban({ kind, key, durationMs, reason }) };
  }

  @Delete('bans/:kind/:key')
  @HttpCode(204)
  @Audited('lift-ban', 'kind', 'key')
  @ApiOperation({ summary: 'Lift a ban' })
  @ApiNoContentResponse({ description: 'It is lifted' })
  @Problems(404, 422)
  async lift(@Param() { kind, key }: BanPath): Promise<void> {
    if (!(await this.bans.lift(kind, key))) throw new ProblemError(404, 'There is no such ban');
  }
}
