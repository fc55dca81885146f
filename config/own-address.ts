import { isEveryAddress } from './addresses.js';
import { server } from './definitions/server.js';
import { tls } from './definitions/tls.js';
import { textOf, type Environment, type Setting } from './setting.js';

export interface OwnAddress {
  readonly host: string;
  readonly port: number;
  readonly isEncrypted: boolean;
}

/**
 * The address of a server for its own machine. Reads only these settings: the health check starts a new process every
 * few seconds, and reading all settings would take four times the processor time.
 */
export function ownAddress(environment: Environment): OwnAddress {
  const host = read(server.host, environment);
  return {
    // All addresses belong to the machine, and this one is among them.
    host: isEveryAddress(host) ? '127.0.0.1' : host,
    port: server.port.parse(textOf(server.port, environment) ?? ''),
    isEncrypted: read(tls.certFile, environment) !== undefined,
  };
}

function read<T>(setting: Setting<T>, environment: Environment): T | undefined {
  const text = textOf(setting, environment);
  return text === undefined ? undefined : setting.parse(text);
}
