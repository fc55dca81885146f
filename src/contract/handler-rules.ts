import { Injectable, type CanActivate } from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { isReplayProtected } from '../access/guards/replay-protected.js';
import { isSessionGuard } from '../access/guards/session-guard.js';
import { messageCost } from '../access/limits/message-cost.js';
import { enhancerOf, enhancers } from '../dispatch/calls/direct-call.js';
import { GUARDS_METADATA } from '../dispatch/calls/nest-internals.js';
import type { HandlerDefinition } from '../dispatch/gateway-scanner.js';

/** Who may send a message, and what it costs. */
export interface HandlerRules {
  /** Each demand names roles of which the session needs one. */
  readonly roles: readonly (readonly string[])[];
  readonly signedIn: boolean;
  /** Tokens of the message rate. */
  readonly cost: number;
  /** Whether the message needs an `id` and a `ts`, and is carried out once only. */
  readonly isOnce: boolean;
}

/** Reads the rules that stand on a handler and on its class. */
@Injectable()
export class HandlerRulesReader {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly reflector: Reflector,
  ) {}

  rulesOf(handler: HandlerDefinition): HandlerRules {
    const reference = { gateway: handler.gateway.gatewayClass, method: handler.method };
    const demands = this.guardsOf(handler).flatMap((guard) =>
      isSessionGuard(guard) && guard.rulesFor ? [guard.rulesFor(reference)] : [],
    );
    return {
      roles: distinct(demands.flatMap(({ roles }) => (roles === undefined ? [] : [roles]))),
      signedIn: demands.some(({ signedIn }) => signedIn === true),
      cost: messageCost(this.reflector, reference),
      isOnce: isReplayProtected(this.reflector, reference),
    };
  }

  private guardsOf(handler: HandlerDefinition): CanActivate[] {
    return enhancers<CanActivate>(GUARDS_METADATA, handler)
      .map((declared) => enhancerOf(declared, handler, this.modules))
      .filter((guard) => guard !== undefined);
  }
}

/** A guard that stands on the class and on the method says the same twice. */
function distinct(demands: readonly (readonly string[])[]): (readonly string[])[] {
  return [...new Map(demands.map((roles) => [roles.toSorted().join('\n'), roles])).values()];
}
