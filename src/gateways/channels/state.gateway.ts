import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentMessage, Emits, RealtimeGateway, Reply, StateRequests, type MessageContext } from 'gatehouse';
import { ReadState, RemoveState, SetState } from './channels.messages.js';
import { StateChanged, StatePage, StatePart } from './channels.replies.js';

/** The clients' door to the state of channels. */
@Emits('state', StatePart)
@RealtimeGateway()
export class StateGateway {
  constructor(private readonly requests: StateRequests) {}

  @Reply(StateChanged)
  @SubscribeMessage('state.set')
  async set(@MessageBody() request: SetState, @CurrentMessage() context: MessageContext): Promise<StateChanged> {
    const { key, patch, ifVersion } = request;
    const channel = this.requests.demandChange(request.channel, context);
    const change = this.requests.set(context.session, channel, { key, patch, ifVersion: ifVersion ?? undefined });
    // The next message of the client joins the same tick.
    context.letNextBegin();
    return { channel: channel.name, ...(await this.charged(change, context)) };
  }

  @Reply(StateChanged)
  @SubscribeMessage('state.remove')
  async remove(@MessageBody() request: RemoveState, @CurrentMessage() context: MessageContext): Promise<StateChanged> {
    const { key, ifVersion } = request;
    const channel = this.requests.demandChange(request.channel, context);
    const change = this.requests.remove(context.session, channel, { key, ifVersion: ifVersion ?? undefined });
    context.letNextBegin();
    return { channel: channel.name, ...(await this.charged(change, context)) };
  }

  @Reply(StatePage)
  @SubscribeMessage('state.next')
  async next(@MessageBody() { channel }: ReadState, @CurrentMessage() context: MessageContext): Promise<StatePage> {
    const { reply, bytes } = this.requests.nextPage(context.session, channel);
    context.chargeReply(bytes);
    return { channel, ...reply };
  }

  /** A small change can be answered with a large value. */
  private async charged<T>(change: Promise<T>, context: MessageContext): Promise<T> {
    try {
      return await change;
    } catch (error) {
      context.chargeReply(this.requests.bytesIn(error));
      throw error;
    }
  }
}
