import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { isReplayProtected } from '../../access/guards/replay-protected.js';
import { DirectCall, type Invocation } from './direct-call.js';
import type { HandlerDefinition } from '../gateway-scanner.js';
import { HandlerDeadlines } from './handler-deadlines.js';
import { NestCall, type Recovery } from './nest-call.js';
import { ReplayProtection } from './replay-protection.js';

/** Builds the calls of handlers, with everything that decorators and settings put around them. */
@Injectable()
export class Invocations {
  constructor(
    private readonly directCall: DirectCall,
    private readonly nestCall: NestCall,
    private readonly reflector: Reflector,
    private readonly replays: ReplayProtection,
    private readonly deadlines: HandlerDeadlines,
  ) {}

  compile(definition: HandlerDefinition): Invocation {
    const { gateway, method, name } = definition;
    const call = this.directCall.compile(definition) ?? this.nestCall.compile(definition);
    const isProtected = isReplayProtected(this.reflector, { gateway: gateway.gatewayClass, method });
    return this.deadlines.limit(isProtected ? this.replays.protect(call) : call, name);
  }

  compileRecovery(definition: HandlerDefinition): Recovery | undefined {
    return this.nestCall.compileRecovery(definition);
  }
}
