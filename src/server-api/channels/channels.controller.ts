import { Get, Header, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { ChannelDirectory } from '../../channels/channel-directory.js';
import { Channels } from '../../channels/channels.js';
import { SubscriptionDirectory } from '../../channels/subscription-directory.js';
import { show } from '../../channels/recovery/recovery.js';
import type { Position } from '../../cluster/ports/broker.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { jsonText } from '../../protocol/codecs/json-codec.js';
import { ApiController, Problems } from '../http/api-controller.js';
import { ONE_MORE, pageOf } from '../http/page.js';
import {
  ChannelPageAnswer,
  ChannelPath,
  ChannelsQuery,
  HistoryAnswer,
  HistoryQuery,
  PresenceAnswer,
  PresenceQuery,
  SubscriberPageAnswer,
  SubscribersQuery,
} from './channels.requests.js';

const DEFAULT_LIMIT = 100;

@ApiController('Channels')
export class ChannelsController {
  constructor(
    private readonly channels: Channels,
    private readonly directory: ChannelDirectory,
    private readonly subscriptions: SubscriptionDirectory,
  ) {}

  @Get('channels')
  @ApiOperation({ summary: 'List the channels that have subscribers on any node, or those that match' })
  @Problems(422)
  async list(@Query() { limit = DEFAULT_LIMIT, after = '', prefix }: ChannelsQuery): Promise<ChannelPageAnswer> {
    const query = { limit: limit + ONE_MORE, after, ...(prefix !== undefined && { prefix }) };
    const found = await this.directory.list(query);
    const { rows, next } = pageOf(found.channels, limit, (row) => row.channel);
    return { ...found, channels: rows, ...next };
  }

  @Get('channels/:channel/subscribers')
  @ApiOperation({ summary: 'List the sessions subscribed to a channel, page by page' })
  @Problems(404, 422)
  async subscribers(
    @Param() { channel: name }: ChannelPath,
    @Query() { limit = DEFAULT_LIMIT, after = '' }: SubscribersQuery,
  ): Promise<SubscriberPageAnswer> {
    const channel = this.channels.named(name).name;
    const found = await this.subscriptions.ofChannel({ channel, limit: limit + ONE_MORE, after });
    const { rows, next } = pageOf(found.subscribers, limit, ({ sessionId }) => sessionId);
    return { ...found, subscribers: rows, ...next };
  }

  @Get('channels/:channel/history')
  @Header('Content-Type', 'application/json')
  @ApiOperation({ summary: 'Read the history of a channel: at most 1 MiB in one answer' })
  @ApiOkResponse({ type: HistoryAnswer })
  @Problems(404, 422)
  async history(@Param() { channel: name }: ChannelPath, @Query() query: HistoryQuery): Promise<string> {
    const { limit = DEFAULT_LIMIT, reverse = false } = query;
    const channel = this.channels.named(name);
    const { top, publications } = await this.channels.historySince(channel, sinceOf(query), { limit, reverse });
    const answer: HistoryAnswer = { ...top, publications: publications.map(show) };
    // Clients of other codecs publish values that JSON.stringify cannot write.
    return jsonText(answer);
  }

  @Get('channels/:channel/presence')
  @ApiOperation({
    summary: 'List the sessions subscribed to a channel, whether or not its namespace shows presence to clients',
  })
  @Problems(404, 422)
  presence(@Param() { channel: name }: ChannelPath, @Query() { limit }: PresenceQuery): Promise<PresenceAnswer> {
    return this.channels.memberList(this.channels.named(name), limit);
  }
}

function sinceOf({ sinceEpoch: epoch, sinceSeq: seq }: HistoryQuery): Position | undefined {
  if (epoch !== undefined && seq !== undefined) return { epoch, seq };
  if (epoch === undefined && seq === undefined) return undefined;
  const absent = epoch === undefined ? 'sinceEpoch' : 'sinceSeq';
  throw new GatehouseError('VALIDATION_FAILED', {
    details: { [absent]: ['sinceEpoch and sinceSeq must be given together'] },
  });
}
