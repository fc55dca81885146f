import { applyDecorators, UsePipes } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { MessageValidationPipe } from './validation/message-validation.pipe.js';

/**
 * Marks a class whose @SubscribeMessage methods handle messages. Payloads of a decorated message class are validated
 * first. Without a path the gateway uses WS_PATH.
 */
export function RealtimeGateway(options: { readonly path?: string } = {}): ClassDecorator {
  return applyDecorators(WebSocketGateway(options), UsePipes(MessageValidationPipe));
}
