import { webSocketUrl } from '../config/addresses.js';
import type { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';

/** The text for a person at a terminal after the start: addresses, features, and what the terminal does not show. */
export function startBanner(settings: Settings, port: number): string {
  const rows: [name: string, text: string][] = [
    ['Address', webSocketUrl(settings, port, '127.0.0.1')],
    ['HTTP', httpSide(settings, port)],
    ['On', features(settings).join(', ')],
    ['Log', logging(settings)],
  ];
  const lines = rows.filter(([, text]) => text !== '').map(([name, text]) => `  ${name.padEnd(9)}${text}`);
  return `\nGatehouse ${VERSION}\n\n${lines.join('\n')}\n`;
}

/** Where the API, the console and the metrics are, as this machine reaches them. */
export function operatorsUrl({ internal, tls }: Settings, port: number): string {
  const isInternal = internal.port > 0;
  const isSecure = isInternal ? internal.tls === 'on' : tls.certFile !== undefined;
  return `${isSecure ? 'https' : 'http'}://127.0.0.1:${isInternal ? internal.port : port}`;
}

function httpSide(settings: Settings, port: number): string {
  const { api, internal } = settings;
  const paths = [
    ...(api.enabled === 'on' ? ['/api'] : []),
    ...(api.console === 'on' ? ['/console'] : []),
    ...(api.docs === 'on' ? ['/docs', '/contract'] : []),
    ...(internal.metricsEnabled === 'on' ? ['/metrics'] : []),
  ];
  if (paths.length === 0) return '';
  return `${operatorsUrl(settings, port)} ${paths.join(' ')}`;
}

function features({ authentication, cluster, tls, tracing, channels, encryption }: Settings): string[] {
  const namespaces = [...channels.namespaces.keys()];
  return [
    `AUTH_MODE=${authentication.mode}`,
    ...(namespaces.length > 0 ? [`channels ${namespaces.join(' ')}`] : []),
    cluster.redisUrl === undefined ? 'one node, in memory' : 'Redis',
    ...(tls.certFile === undefined ? [] : ['TLS']),
    ...(tracing.exporter === 'none' ? [] : ['tracing']),
    ...(encryption.keys.length > 0 ? ['encrypted payloads'] : []),
  ];
}

function logging({ log, audit, server }: Settings): string {
  const level = `LOG_LEVEL=${log.level}`;
  if (audit.log === 'off') return `${level}, no audit`;
  if (audit.file !== undefined) return `${level}, audit in ${audit.file}`;
  const isQuiet = audit.log === 'auto' && server.environment !== 'production';
  return isQuiet ? `${level}, audit not shown on a terminal (set AUDIT_LOG=on or AUDIT_FILE)` : level;
}
