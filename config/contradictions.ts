import { redisAddresses } from './addresses.js';
import { readCertificate } from './certificate.js';
import type { Namespaces } from './namespaces.js';
import type { Parsed } from './parsed-settings.js';

/** A worker adds a dash and its number to the name. A name has 64 characters. */
const MAX_NAME_OF_MACHINE = 61;

/** Settings that do not go together, and what is missing. */
export function contradictions(parsed: Parsed): string[] {
  return [
    ...missingKey(parsed),
    ...redisOfUnclearKind(parsed),
    ...unusableTls(parsed),
    ...portTwice(parsed),
    ...batchBeyondQueue(parsed),
    ...nowhereToWrite(parsed),
    ...nameTooLong(parsed),
    ...storeOfSeveral(parsed),
  ];
}

function redisOfUnclearKind({ cluster: { redisUrl, redisMode } }: Parsed): string[] {
  const hasSeveral = redisUrl !== undefined && redisAddresses(redisUrl).length > 1;
  return hasSeveral && redisMode !== 'cluster' ? ['REDIS_URL names several nodes: REDIS_MODE must be cluster'] : [];
}

export function missingEncryptionKeys({ encryption: { keys } }: Parsed, namespaces: Namespaces): string[] {
  // A mistyped setting is reported as such, and counts as set.
  if (keys.length > 0) return [];
  const names = [...namespaces.values()].filter(({ encryption }) => encryption === 'required').map(({ name }) => name);
  return names.map((name) => `ENCRYPTION_KEYS must be set: namespaces.${name}.encryption is required`);
}

function unusableTls({ tls, internal, server }: Parsed): string[] {
  const faults: string[] = [];
  if (tls.required === 'on' && tls.certFile === undefined && server.trustProxy === undefined) {
    faults.push('REQUIRE_TLS is on: TLS_CERT_FILE or TRUST_PROXY must be set, otherwise no client can connect');
  }
  if (internal.tls === 'on' && tls.certFile === undefined) faults.push('INTERNAL_TLS is on: TLS_CERT_FILE must be set');
  try {
    readCertificate(tls);
  } catch (error) {
    faults.push((error as Error).message);
  }
  return faults;
}

function portTwice({ server, internal }: Parsed): string[] {
  return internal.port !== 0 && internal.port === server.port ? ['INTERNAL_PORT must differ from PORT'] : [];
}

function batchBeyondQueue({ tracing: { batchSize, queueSize } }: Parsed): string[] {
  return batchSize > queueSize ? ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE must not be more than OTEL_BSP_MAX_QUEUE_SIZE'] : [];
}

function nowhereToWrite({ diagnostics: { heapSnapshotPercent, folder } }: Parsed): string[] {
  return heapSnapshotPercent > 0 && folder === undefined
    ? ['HEAP_SNAPSHOT_PERCENT is set: DIAGNOSTICS_DIR must be set too']
    : [];
}

function storeOfSeveral({ edge, workers: { count } }: Parsed): string[] {
  return count > 1 && edge.upstream !== undefined
    ? ['WORKERS must be 1 on an edge node: EDGE_DIR is for one process at a time']
    : [];
}

function nameTooLong({ server: { serverId = '' }, workers: { count } }: Parsed): string[] {
  return count > 1 && serverId.length > MAX_NAME_OF_MACHINE
    ? [`SERVER_ID must be at most ${MAX_NAME_OF_MACHINE} characters with several WORKERS, which add their numbers`]
    : [];
}

function missingKey({ server, authentication }: Parsed): string[] {
  const { mode, jwtSecret, jwtPublicKey, jwksUrl } = authentication;
  const hasKey = jwtSecret !== undefined || jwtPublicKey !== undefined || jwksUrl !== undefined;
  if (server.environment !== 'production' || mode === 'off' || hasKey) return [];
  return ['JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL must be set in production (or AUTH_MODE=off)'];
}
