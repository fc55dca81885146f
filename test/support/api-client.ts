import { fetch } from './fetch.js';
import { mintToken, type TestServer } from './test-server.js';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, undefined where it is empty. */
  readonly body: unknown;
}

interface ApiCall {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Default: one with the role SERVICE. False: none. */
  readonly token?: string | false;
}

/** Asks the server API: `await api(server, 'POST /api/publish', { body: { … } })`. */
export async function api(server: Pick<TestServer, 'http'>, endpoint: string, call: ApiCall = {}): Promise<ApiAnswer> {
  const [method = 'GET', path = ''] = endpoint.split(' ');
  const { token = serviceToken(), body, headers } = call;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(`${server.http}${path}`, {
    method,
    headers: {
      ...(token !== false && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : parsed(text) };
}

export function serviceToken(): string {
  return mintToken({ sub: 'backend', roles: ['SERVICE'] });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
