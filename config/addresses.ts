import { isIPv6 } from 'node:net';

/** The addresses in REDIS_URL. */
export function redisAddresses(urls: string): readonly string[] {
  return urls.split(',').map((url) => url.trim());
}

/** @throws Error naming the mistake and never the value, which may contain a password */
export function checkRedisUrls(urls: string): void {
  for (const url of redisAddresses(urls)) {
    if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol) || new URL(url).hostname === '') {
      throw new Error('must be redis://host:port or rediss://host:port, or several of one Redis Cluster');
    }
  }
}

/** @throws Error naming the mistake */
export function checkPublicUrl(url: string): void {
  const isUsable = URL.canParse(url) && /^wss?:$/.test(new URL(url).protocol) && new URL(url).search === '';
  if (!isUsable) throw new Error('must be a ws:// or wss:// address without a query');
}

/** Whether a server with this HOST listens on every address of its machine. */
export function isEveryAddress(host: string | undefined): host is undefined | '0.0.0.0' | '::' {
  return host === undefined || host === '0.0.0.0' || host === '::';
}

/** The settings that determine where clients reach a server. */
interface Place {
  readonly server: { readonly host: string | undefined; readonly wsPath: string };
  readonly tls: { readonly certFile: string | undefined };
}

/** @param machine the name of a server that listens on every address */
export function webSocketUrl({ server: { host, wsPath }, tls }: Place, port: number, machine: string): string {
  const scheme = tls.certFile === undefined ? 'ws' : 'wss';
  const name = isEveryAddress(host) ? machine : isIPv6(host) ? `[${host}]` : host;
  return `${scheme}://${name}:${port}${wsPath}`;
}
