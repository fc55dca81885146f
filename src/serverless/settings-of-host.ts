import type { Settings } from '../../config/settings.js';
import { settingsOf, type SettingsSource } from '../../config/settings-source.js';
import { UnusableSettings } from '../../config/unusable-settings.js';
import { PING_INTERVAL_MS } from './tables.js';

/** The largest frame that API Gateway takes. Clients send a message as one frame. */
const MAX_FRAME_BYTES = 32_768;

/** What API Gateway decides, so that `hello` says what is true. */
const OF_HOST = {
  HEARTBEAT_INTERVAL_MS: PING_INTERVAL_MS,
  MAX_MESSAGE_BYTES: MAX_FRAME_BYTES,
  MESSAGE_RATE: 0,
  MESSAGE_RATE_PER_IP: 0,
  // A leave beyond the rate is told by a timer, which does not run between two events.
  PRESENCE_RATE: 0,
};

/**
 * The settings of a function. Those that API Gateway decides are set here.
 *
 * @throws UnusableSettings naming every setting that cannot be used, or that needs a server
 */
export function settingsOfHost({ settings, ...source }: SettingsSource): Settings {
  const made = settingsOf({ ...source, settings: { ...settings, ...OF_HOST } });
  const faults = faultsOf(made);
  if (faults.length > 0) throw new UnusableSettings(faults.map((name) => `${name} needs a server: unset it`));
  return made;
}

function faultsOf({ cluster, hooks, outbox, bridges, edge, tracing, tls }: Settings): readonly string[] {
  const set: Readonly<Record<string, boolean>> = {
    REDIS_URL: cluster.redisUrl !== undefined,
    HOOKS_FILE: hooks.loaded !== undefined,
    BRIDGES_FILE: bridges.loaded !== undefined,
    EDGE_UPSTREAM: edge.rules !== undefined,
    EDGE_CENTRE: edge.centre === 'on',
    OUTBOX_POSTGRES_URL: outbox.postgresUrl !== undefined,
    OTEL_TRACES_EXPORTER: tracing.exporter !== 'none',
    TLS_CERT_FILE: tls.certFile !== undefined,
  };
  return Object.keys(set).filter((name) => set[name]);
}
