/** The addresses in REDIS_URL. */
export function redisAddresses(urls: string): readonly string[] {
  return urls.split(',').map((url) => url.trim());
}

/** @throws Error naming the mistake and never the value, which may hold a password */
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
