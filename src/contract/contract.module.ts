import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ChannelsModule } from '../channels/channels.module.js';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { ContractBuilder } from './contract-builder.js';
import { HandlerRulesReader } from './handler-rules.js';
import { MessageCatalogue } from './message-catalogue.js';

/** Says what clients and server may say to each other. */
@Module({
  imports: [ChannelsModule, DiscoveryModule, DispatchModule],
  providers: [ContractBuilder, HandlerRulesReader, MessageCatalogue],
  exports: [ContractBuilder],
})
export class ContractModule {}
