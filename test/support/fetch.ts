/**
 * Like the global one, over a connection of its own. One that was kept from an earlier request may just be closing:
 * the server lets idle connections go, and a starved process is late to hear of it.
 *
 * The body is read, wanted or not: Node's own client can throw outside of any promise when a connection ends with part of
 * a body unread (nodejs/undici: `assert(!this.paused)`).
 */
export async function fetch(url: string | URL, { headers, ...init }: RequestInit = {}): Promise<Response> {
  const all = new Headers(headers);
  all.set('connection', 'close');
  const response = await globalThis.fetch(url, { ...init, headers: all });
  const body = await response.arrayBuffer();
  return new Response(body.byteLength > 0 ? body : null, response);
}
