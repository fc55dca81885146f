import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import {
  CurrentMessage,
  Emits,
  RealtimeGateway,
  Reply,
  StateRequests,
  type MessageContext,
  type StatePageReply,
} from 'gatehouse';
import { LookAtArea, ReadState, RemoveState, SetState } from './channels.messages.js';
import { AreaCells, AreaView, StateChanged, StatePage, StatePart } from './state.replies.js';

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
    return { channel, ...paged(this.requests.nextPage(context.session, channel), context) };
  }

  @Reply(AreaView)
  @SubscribeMessage('area')
  async look(
    @MessageBody() { channel, box }: LookAtArea,
    @CurrentMessage() context: MessageContext,
  ): Promise<AreaView> {
    const { view, bytes, goLive } = await this.requests.look(context.session, channel, box);
    context.chargeReply(bytes);
    context.afterReply(goLive);
    return view;
  }

  @Reply(AreaCells)
  @SubscribeMessage('area.next')
  async nextCells(
    @MessageBody() { channel }: ReadState,
    @CurrentMessage() context: MessageContext,
  ): Promise<AreaCells> {
    return { channel, ...paged(this.requests.nextCells(context.session, channel), context) };
  }

  /** A small change can be answered with a large value. */
  private charged<T>(change: Promise<T>, context: MessageContext): Promise<T> {
    return change.catch((error: unknown) => {
      context.chargeReply(this.requests.bytesIn(error));
      throw error;
    });
  }
}

/** A client that got TIMEOUT instead of the part asks again, and must not miss it. */
function paged<T>({ reply, bytes, undo }: StatePageReply<T>, context: MessageContext): T {
  context.chargeReply(bytes);
  context.afterReply((isDelivered) => {
    if (!isDelivered) undo();
  });
  return reply;
}
