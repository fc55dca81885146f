import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { RealtimeGateway } from 'gatehouse';

@RealtimeGateway()
export class EchoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): unknown {
    return data;
  }
}
