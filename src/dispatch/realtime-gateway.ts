import { applyDecorators, UsePipes } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { MessageValidationPipe } from './validation/message-validation.pipe.js';

/**
 * Marks a class whose @SubscribeMessage methods answer messages. Payloads of a decorated message class are
 * validated before the method sees them. Without a path the gateway serves WS_PATH.
 */
export function RealtimeGateway(options: { readonly path?: string } = {}): ClassDecorator {
  return applyDecorators(WebSocketGateway(options), UsePipes(MessageValidationPipe));
}
