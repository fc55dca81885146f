import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsIn } from 'class-validator';
import { Channels, CurrentSession, RealtimeGateway, SignedIn, type Session } from 'gatehouse';

class Vote {
  @IsIn(['tea', 'coffee'])
  choice!: 'tea' | 'coffee';
}

@RealtimeGateway()
class PollGateway {
  private readonly votes = { tea: 0, coffee: 0 };

  constructor(private readonly channels: Channels) {}

  @SignedIn()
  @SubscribeMessage('poll.vote')
  async vote(@MessageBody() { choice }: Vote, @CurrentSession() session: Session): Promise<object> {
    this.votes[choice] += 1;
    const result = { ...this.votes };
    await this.channels.publish('feed:poll', result, { from: session });
    return result;
  }
}

@Module({ providers: [PollGateway] })
export default class PollModule {}
