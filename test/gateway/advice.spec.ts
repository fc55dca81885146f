import { Injectable, Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import { expect, it } from 'vitest';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { startTestServer } from '../support/test-server.js';

class Checked {
  @IsString()
  text!: string;
}

class Bare {
  text!: string;
}

@Injectable()
class Forgotten {
  @SubscribeMessage('forgotten')
  handle(): void {}
}

@WebSocketGateway()
class PlainGateway {
  @SubscribeMessage('plain')
  handle(@MessageBody() _message: Checked): void {}
}

@RealtimeGateway()
class GoodGateway {
  @SubscribeMessage('good')
  handle(@MessageBody() _message: Checked): void {}

  @SubscribeMessage('bare')
  bare(@MessageBody() _message: Bare): void {}
}

@Module({ providers: [Forgotten, PlainGateway, GoodGateway] })
class Feature {}

it('tells at start of handlers that are not called and messages that are not validated, and of nothing else', async () => {
  await using server = await startTestServer({}, [Feature]);
  const warnings = server.logLines.filter(({ level }) => level === 'warn').map(({ msg }) => String(msg));
  expect(warnings.toSorted()).toEqual([
    'Forgotten has @SubscribeMessage methods but no @RealtimeGateway(), so none of them is called. Put @RealtimeGateway() before the class',
    'GoodGateway.bare: Bare has no validation decorators, so every payload passes. Put decorators such as @IsString() on its fields',
    'PlainGateway.handle: Checked is not validated, because the class has no @RealtimeGateway(). Put @RealtimeGateway() before the class',
  ]);
});
