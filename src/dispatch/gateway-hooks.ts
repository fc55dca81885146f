import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Connection } from '../socket/connection.js';
import { DispatchEvents } from './dispatch-events.js';
import { GatewayScanner } from './gateway-scanner.js';

export interface Disconnection {
  readonly code: number;
  readonly reason: string;
}

export interface ConnectionHooks {
  connected(connection: Connection, request: IncomingMessage): void;
  disconnected(connection: Connection, disconnection: Disconnection): void;
}

type Hook = (...args: unknown[]) => unknown;

/** Calls the handleConnection and handleDisconnect of gateways. What they throw is reported and ends nothing. */
@Injectable()
export class GatewayHooks {
  constructor(
    private readonly scanner: GatewayScanner,
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

  private compile(path: string, name: 'handleConnection' | 'handleDisconnect'): Hook[] {
    return this.scanner
      .gateways()
      .filter(
        (gateway) => gateway.isStatic && (gateway.path ?? '') === path && typeof gateway.instance[name] === 'function',
      )
      .map(({ instance, gatewayClass }) => {
        const report = (exception: unknown): void => {
          this.events.emit('crashed', `${gatewayClass.name}.${name}`, exception);
        };
        return (...args) => {
          try {
            Promise.resolve((instance[name] as Hook)(...args)).catch(report);
          } catch (exception) {
            report(exception);
          }
        };
      });
  }
}
