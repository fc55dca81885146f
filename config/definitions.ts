import { api } from './definitions/api.js';
import { authentication } from './definitions/authentication.js';
import { channels } from './definitions/channels.js';
import { cluster } from './definitions/cluster.js';
import { connections } from './definitions/connections.js';
import { health } from './definitions/health.js';
import { heartbeat } from './definitions/heartbeat.js';
import { lifecycle } from './definitions/lifecycle.js';
import { log } from './definitions/log.js';
import { messages } from './definitions/messages.js';
import { outbound } from './definitions/outbound.js';
import { overload } from './definitions/overload.js';
import { server } from './definitions/server.js';

/**
 * Every setting there is, a file a group. .env.example and the settings table of the docs are made from this list
 * (`npm run env:example`), so a setting cannot exist without its unit, default and effect.
 */
export const DEFINITIONS = {
  server,
  authentication,
  connections,
  messages,
  channels,
  cluster,
  heartbeat,
  outbound,
  lifecycle,
  overload,
  api,
  health,
  log,
} as const;
