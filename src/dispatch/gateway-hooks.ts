import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Connection } from '../socket/connection.js';
import { DispatchEvents } from './dispatch-events.js';
import { GatewayScanner, type GatewayDefinition } from './gateway-scanner.js';
import { NestCall } from './calls/nest-call.js';

export interface Disconnection {
  readonly code: number;
  readonly reason: string;
}

export interface ConnectionHooks {
  connected(connection: Connection, request: IncomingMessage): void;
  disconnected(connection: Connection, disconnection: Disconnection): void;
}

type HookName = 'handleConnection' | 'handleDisconnect';
type Hook = (...args: unknown[]) => unknown;

/** Calls the handleConnection and handleDisconnect of gateways. Errors are reported, and the connection goes on. */
@Injectable()
export class GatewayHooks {
  constructor(
    private readonly scanner: GatewayScanner,
    private readonly nestCall: NestCall,
    private readonly events: DispatchEvents,
  ) {}

  /** @param path as the gateways declare it; empty for those that declare none */
  of(path: string): ConnectionHooks {
    const onConnect = this.compile(path, 'handleConnection');
    const onDisconnect = this.compile(path, 'handleDisconnect');
    return {
      connected: (...args) => onConnect.forEach((hook) => hook(...args)),
      disconnected: (...args) => onDisconnect.forEach((hook) => hook(...args)),
    };
  }

  private compile(path: string, name: HookName): Hook[] {
    return this.scanner
      .gateways()
      .filter((gateway) => (gateway.path ?? '') === path && typeof gateway.instance[name] === 'function')
      .map((gateway) => {
        const call = this.hookOf(gateway, name);
        const report = (exception: unknown): void => {
          this.events.crash(`${gateway.gatewayClass.name}.${name}`, exception);
        };
        return (...args) => {
          try {
            Promise.resolve(call(...args)).catch(report);
          } catch (exception) {
            report(exception);
          }
        };
      });
  }

  private hookOf(gateway: GatewayDefinition, name: HookName): Hook {
    const call = (instance: Record<string, unknown>, args: unknown[]): unknown => (instance[name] as Hook)(...args);
    if (gateway.isStatic) return (...args) => call(gateway.instance, args);
    return async (...args) => call(await this.nestCall.instanceFor(gateway, args[0] as Connection), args);
  }
}
