import { Body, Delete, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Channels } from '../../channels/channels.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { ApiController, Problems, ProblemWhere, WithBody } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { RemoveStateQuery, SetStateRequest, StateAnswer, StateChangeAnswer, StatePath } from './state.requests.js';

const CHANGED = 'The key is not at `ifVersion`, or there is no room for another key';

@ApiController('State')
export class StateController {
  constructor(private readonly channels: Channels) {}

  @Get('channels/:channel/state/:key')
  @ApiOperation({ summary: 'Read the value of a key of a state channel' })
  @Problems(404, 422)
  async get(@Param() { channel: name, key }: StatePath): Promise<StateAnswer> {
    const channel = this.channels.named(name);
    const found = await this.channels.state(channel).get(key);
    if (found === undefined) throw new GatehouseError('UNKNOWN_KEY');
    return { channel: channel.name, ...found };
  }

  @Put('channels/:channel/state/:key')
  @Audited('set-state', 'channel', 'key')
  @ApiOperation({ summary: 'Change the value of a key, even if its namespace does not let clients publish' })
  @Problems(404)
  @ProblemWhere(409, CHANGED)
  @WithBody()
  async set(@Param() { channel: name, key }: StatePath, @Body() request: SetStateRequest): Promise<StateChangeAnswer> {
    const channel = this.channels.named(name);
    const { patch, value, ifVersion } = request;
    if ((patch === undefined) === (value === undefined)) {
      throw new GatehouseError('VALIDATION_FAILED', { details: { patch: ['one of patch and value must be given'] } });
    }
    const state = this.channels.state(channel);
    const change =
      patch === undefined ? state.replace(key, value, { ifVersion }) : state.set(key, patch, { ifVersion });
    return { channel: channel.name, ...(await change) };
  }

  @Delete('channels/:channel/state/:key')
  @Audited('remove-state', 'channel', 'key')
  @ApiOperation({ summary: 'Remove a key. It need not be there' })
  @Problems(404, 422)
  @ProblemWhere(409, CHANGED)
  async remove(
    @Param() { channel: name, key }: StatePath,
    @Query() query: RemoveStateQuery,
  ): Promise<StateChangeAnswer> {
    const channel = this.channels.named(name);
    const { ifVersion } = query;
    return { channel: channel.name, ...(await this.channels.state(channel).remove(key, { ifVersion })) };
  }
}
