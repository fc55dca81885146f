import { readFileSync } from 'node:fs';
import type * as JetStream from '@nats-io/jetstream';
import type * as Nats from '@nats-io/transport-node';
import type { NatsBroker } from '../../../config/bridges/brokers.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';

/** The packages that speak to NATS. */
export interface NatsPackages {
  readonly nats: typeof Nats;
  readonly jetstream: typeof JetStream;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A server that answers no ping is left after about a second and a half. */
const PING_MS = 500;
const MAX_PINGS = 2;

/** @throws UnusableSettings with the line that installs them */
export async function loadNats(load = loadPackages): Promise<NatsPackages> {
  return load().catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UnusableSettings([
      'The bridges file names NATS, which needs packages that are not installed. Run: npm install @nats-io/transport-node@3 @nats-io/jetstream@3',
    ]);
  });
}

async function loadPackages(): Promise<NatsPackages> {
  return { nats: await import('@nats-io/transport-node'), jetstream: await import('@nats-io/jetstream') };
}

/**
 * Connects once. The connection does not reconnect by itself: what its client would keep meanwhile is out of our sight.
 */
export function connectNats({ nats }: NatsPackages, broker: NatsBroker): Promise<Nats.NatsConnection> {
  const { servers, user, password, token, credentials, tls } = broker;
  return nats.connect({
    servers: [...servers],
    name: 'gatehouse',
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_MS,
    maxPingOut: MAX_PINGS,
    reconnect: false,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(credentials !== undefined && { authenticator: nats.credsAuthenticator(readFileSync(credentials)) }),
    ...(tls !== undefined && { tls: tls === true ? {} : definedOf(tls) }),
  });
}

function definedOf<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
