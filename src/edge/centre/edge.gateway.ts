import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Roles } from '../../access/guards/roles.js';
import { CurrentSession } from '../../dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';
import { Reply } from '../../contract/reply.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';
import { EDGE_PROTOCOL, EDGE_ROLE } from '../edge-protocol.js';
import { EdgeOrders } from './edge-orders.js';
import {
  EdgeForward,
  EdgeForwarded,
  EdgeHello,
  EdgeOrdersReply,
  EdgeOrdersRequest,
  EdgeWelcome,
} from './edge.messages.js';
import { areInOrder } from './forwarded-records.js';
import { Forwarding } from './forwarding.js';

/** The centre's door for edge nodes. */
@Roles(EDGE_ROLE)
@RealtimeGateway()
export class EdgeGateway {
  constructor(
    private readonly forwarding: Forwarding,
    private readonly orders: EdgeOrders,
  ) {}

  @Reply(EdgeWelcome)
  @SubscribeMessage('edge.hello')
  hello(@MessageBody() { protocol }: EdgeHello, @CurrentSession() { principal }: Session): EdgeWelcome {
    if (protocol !== EDGE_PROTOCOL) throw new GatehouseError('UNSUPPORTED_VERSION');
    return { protocol: EDGE_PROTOCOL, edge: principal.userId };
  }

  @SubscribeMessage('edge.orders')
  readOrders(@MessageBody() { from }: EdgeOrdersRequest, @CurrentSession() session: Session): EdgeOrdersReply {
    const { orders, next } = this.orders.page(session, from);
    return next === undefined ? { orders } : { orders, next };
  }

  @Reply(EdgeForwarded)
  @SubscribeMessage('edge.forward')
  async forward(
    @MessageBody() { run, records }: EdgeForward,
    @CurrentSession() session: Session,
  ): Promise<EdgeForwarded> {
    if (!areInOrder(records)) throw new GatehouseError('VALIDATION_FAILED');
    const { upTo, repeated, refused } = await this.forwarding.publishAll(session, run, records);
    return { upTo, repeated, refused: [...refused] };
  }
}
