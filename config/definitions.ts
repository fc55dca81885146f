import { anomalies } from './definitions/anomalies.js';
import { api } from './definitions/api.js';
import { audit } from './definitions/audit.js';
import { authentication } from './definitions/authentication.js';
import { bridges } from './definitions/bridges.js';
import { channels } from './definitions/channels.js';
import { cluster } from './definitions/cluster.js';
import { connections } from './definitions/connections.js';
import { diagnostics } from './definitions/diagnostics.js';
import { edge } from './definitions/edge.js';
import { encryption } from './definitions/encryption.js';
import { health } from './definitions/health.js';
import { heartbeat } from './definitions/heartbeat.js';
import { hooks } from './definitions/hooks.js';
import { outbox } from './definitions/outbox.js';
import { inbound } from './definitions/inbound.js';
import { internal } from './definitions/internal.js';
import { lifecycle } from './definitions/lifecycle.js';
import { log } from './definitions/log.js';
import { messages } from './definitions/messages.js';
import { outbound } from './definitions/outbound.js';
import { overload } from './definitions/overload.js';
import { replay } from './definitions/replay.js';
import { server } from './definitions/server.js';
import { tls } from './definitions/tls.js';
import { tracing } from './definitions/tracing.js';
import { upgrade } from './definitions/upgrade.js';
import { workers } from './definitions/workers.js';

/**
 * Every setting, in a file for each group. .env.example and the settings table of the docs are made from this list
 * (`npm run env:example`), so a setting cannot exist without its unit, default and effect.
 */
export const DEFINITIONS = {
  server,
  tls,
  authentication,
  upgrade,
  connections,
  messages,
  inbound,
  encryption,
  replay,
  channels,
  cluster,
  workers,
  hooks,
  outbox,
  bridges,
  edge,
  heartbeat,
  outbound,
  lifecycle,
  overload,
  api,
  internal,
  health,
  log,
  audit,
  anomalies,
  diagnostics,
  tracing,
} as const;

/** The variable of every setting. */
export const SETTING_NAMES: ReadonlySet<string> = new Set(
  Object.values(DEFINITIONS).flatMap((group) => Object.values(group).map(({ env }) => env)),
);
