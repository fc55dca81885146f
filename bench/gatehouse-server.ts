import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsString, Length } from 'class-validator';
import { configurationOfProcess } from '../config/environment.js';
import { Roles } from '../src/access/guards/roles.js';
import { RealtimeGateway } from '../src/dispatch/realtime-gateway.js';
import { startServer } from '../src/server.js';

class BenchPost {
  @IsString()
  @Length(1, 64)
  room!: string;

  @IsString()
  @Length(1, 1_000)
  text!: string;
}

@RealtimeGateway()
class BenchGateway {
  @Roles('MEMBER')
  @SubscribeMessage('bench.post')
  post(@MessageBody() _post: BenchPost): { accepted: boolean } {
    return { accepted: true };
  }
}

@Module({ providers: [BenchGateway] })
class BenchModule {}

/** The product with one more gateway: a handler that has everything a real one has, and does nothing. */
const server = await startServer(configurationOfProcess().settings, { features: [BenchModule] });
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
