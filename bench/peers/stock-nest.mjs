// Nest's own WsAdapter, with neither guard, pipe nor interceptor: its best case.
// Decorators are applied by call, so that Node runs the file as it is and no compiler stands between.
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

// The package does not export its package.json.
const manifest = new URL('../../node_modules/@nestjs/platform-ws/package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, 'utf8'));

class EchoGateway {
  echo(data) {
    return { event: 'echo_reply', data };
  }
}
const method = Object.getOwnPropertyDescriptor(EchoGateway.prototype, 'echo');
MessageBody()(EchoGateway.prototype, 'echo', 0);
SubscribeMessage('echo')(EchoGateway.prototype, 'echo', method);
WebSocketGateway({ path: '/ws' })(EchoGateway);

class PeerModule {}
Module({ providers: [EchoGateway] })(PeerModule);

const app = await NestFactory.create(PeerModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(Number(process.env.PORT), '127.0.0.1');
console.log(`ready @nestjs/platform-ws ${version}`);
