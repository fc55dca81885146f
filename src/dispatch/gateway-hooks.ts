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

/**
 * Each calls all hooks at once, and resolves when the last one is done, with how many failed. It never rejects. A server
 * does not wait; a function must, because its process stops with the invocation.
 */
export interface ConnectionHooks {
  connected(connection: Connection, request: IncomingMessage): Promise<number>;
  disconnected(connection: Connection, disconnection: Disconnection): Promise<number>;
}

type HookName = 'handleConnection' | 'handleDisconnect';
type Hook = (...args: unknown[]) => unknown;
/** Resolves with whether the hook failed. */
type ReportedHook = (...args: unknown[]) => Promise<boolean>;

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
      connected: (...args) => callAll(onConnect, args),
      disconnected: (...args) => callAll(onDisconnect, args),
    };
  }

  private compile(path: string, name: HookName): ReportedHook[] {
    return this.scanner
      .gateways()
      .filter((gateway) => (gateway.path ?? '') === path && typeof gateway.instance[name] === 'function')
      .map((gateway) => {
        const call = this.hookOf(gateway, name);
        return async (...args) => {
          try {
            await call(...args);
            return false;
          } catch (exception) {
            this.events.crash(`${gateway.gatewayClass.name}.${name}`, exception);
            return true;
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

async function callAll(hooks: readonly ReportedHook[], args: readonly unknown[]): Promise<number> {
  if (hooks.length === 0) return 0;
  const failures = await Promise.all(hooks.map((hook) => hook(...args)));
  return failures.filter(Boolean).length;
}
