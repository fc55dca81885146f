/**
 * Like the global one, over a connection of its own. One that was kept from an earlier request may just be closing:
 * the server lets idle connections go, and a starved process is late to hear of it.
 */
export function fetch(url: string | URL, { headers, ...init }: RequestInit = {}): Promise<Response> {
  const all = new Headers(headers);
  all.set('connection', 'close');
  return globalThis.fetch(url, { ...init, headers: all });
}
