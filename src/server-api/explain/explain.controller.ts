import { Get, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Channels } from '../../channels/channels.js';
import { Explanations } from '../../channels/ledger/explanations.js';
import { OUTCOMES } from '../../channels/ledger/publication-outcome.js';
import { AdminOnly } from '../http/admin.guard.js';
import { ApiController, Problems, ProblemWhere } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { ExplainQuery, ExplanationAnswer } from './explain.requests.js';
import { ProblemError } from '../http/problem.js';

const NO_LEDGER = 'The namespace has no ledger: set its option `ledger` in the channels file';

/** Why a user received a message, or did not. */
@ApiController('Explain')
@AdminOnly()
export class ExplainController {
  constructor(
    private readonly channels: Channels,
    private readonly explanations: Explanations,
  ) {}

  @Get('explain')
  @Audited('explain', 'userId', 'channel', 'seq')
  @ApiOperation({ summary: 'Explain why a user received a publication or did not, from the ledgers of all nodes' })
  @Problems(404, 422)
  @ProblemWhere(409, NO_LEDGER)
  async explain(@Query() { userId, channel: name, seq, epoch }: ExplainQuery): Promise<ExplanationAnswer> {
    const channel = this.channels.named(name);
    if (!this.explanations.areKeptFor(channel)) {
      throw new ProblemError(409, NO_LEDGER);
    }
    const explanation = await this.explanations.of(channel, { userId, seq, epoch });
    return { ...explanation, meaning: OUTCOMES[explanation.outcome] };
  }
}
