import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';

@RealtimeGateway()
export class EchoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}
