import { Body, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Principal } from '../../authentication/principal.js';
import { Broadcaster } from '../../broadcast/broadcaster.js';
import { Channels } from '../../channels/channels.js';
import { ApiController, Idempotent, Problems, WithBody } from '../http/api-controller.js';
import { Audited } from '../http/audit.interceptor.js';
import { Caller } from '../http/caller.js';
import { IdempotencyKey, invalidKey, Once, OneTime, type OneTimeRequest } from './idempotency.js';
import {
  BroadcastRequest,
  PublishAnswer,
  PublishRequest,
  SessionsAnswer,
  UserMessageRequest,
  UserPath,
} from './messages.requests.js';

@ApiController('Messages')
export class MessagesController {
  constructor(
    private readonly channels: Channels,
    private readonly broadcaster: Broadcaster,
    private readonly once: Once,
  ) {}

  @Post('publish')
  @HttpCode(200)
  @Audited('publish', 'channel')
  @ApiOperation({ summary: 'Publish to a channel, even if its namespace does not let clients publish' })
  @Problems(404)
  @WithBody()
  @Idempotent()
  async publish(
    @Body() request: PublishRequest,
    @Caller() caller: Principal,
    @IdempotencyKey() header: string | undefined,
  ): Promise<PublishAnswer> {
    const key = oneKey(request.idempotencyKey, header);
    const channel = this.channels.named(request.channel);
    const { position } = await this.channels.publish(channel, {
      data: request.data,
      ttlMs: request.ttlMs,
      // Scoped to the caller, like keys of users: back ends must not suppress each other's messages.
      idempotencyKey: key === undefined ? undefined : `${caller.userId.length}:${caller.userId}${key}`,
    });
    return { channel: channel.name, ...position };
  }

  @Post('broadcast')
  @HttpCode(200)
  @Audited('broadcast')
  @ApiOperation({ summary: 'Send a message to every open session' })
  @WithBody()
  @Idempotent()
  broadcast(
    @Body() { type = 'broadcast', data }: BroadcastRequest,
    @OneTime() oneTime: OneTimeRequest | undefined,
  ): Promise<SessionsAnswer> {
    return this.once.answer(oneTime, async () => ({
      sessions: await this.broadcaster.toEveryone().deliver(type, data),
    }));
  }

  @Post('users/:userId/messages')
  @HttpCode(200)
  @Audited('message', 'userId')
  @ApiOperation({ summary: 'Send a message to every session of a user' })
  @WithBody()
  @Idempotent()
  message(
    @Param() { userId }: UserPath,
    @Body() { type = 'direct_message', data }: UserMessageRequest,
    @OneTime() oneTime: OneTimeRequest | undefined,
  ): Promise<SessionsAnswer> {
    return this.once.answer(oneTime, async () => ({
      sessions: await this.broadcaster.toUser(userId).deliver(type, data),
    }));
  }
}

/** From the body or from the header. */
function oneKey(inBody: string | undefined, inHeader: string | undefined): string | undefined {
  if (inBody !== undefined && inHeader !== undefined && inBody !== inHeader) {
    throw invalidKey('differs from the idempotencyKey in the body');
  }
  return inBody ?? inHeader;
}
