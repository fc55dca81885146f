import { signOut, token } from './token.js';

/** The answer of the server API to a request that failed. */
export class ApiError extends Error {
  constructor(
    /** 0: there was no answer. */
    readonly status: number,
    message: string,
    /** Whether the same request would fail again, such as for a session that has ended. */
    readonly isFinal = false,
  ) {
    super(message);
  }
}

interface Call {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

const FINAL = [400, 404, 409, 413, 422];

type Parts = readonly (string | number)[];
type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** A path below /api. Parts are encoded, so names of users and channels may contain anything. */
export function pathOf(parts: Parts, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const path = parts.map((part) => encodeURIComponent(part)).join('/');
  return search.size === 0 ? path : `${path}?${search}`;
}

/** @throws ApiError */
export async function call<T>(method: string, path: string, { body, signal }: Call = {}): Promise<T> {
  const text = await textOf(await send(method, path, { body, ...(signal && { signal }) }));
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** @throws ApiError */
export async function download(path: string, body: unknown): Promise<void> {
  const response = await send('POST', path, { body });
  if (!response.ok) await textOf(response);
  const name = /filename="?([\w.-]+)/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'profile';
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function send(method: string, path: string, { body, signal }: Call): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${token.value}` };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(new URL(`api/${path}`, location.href), {
      method,
      headers,
      signal: signal ?? null,
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'The server does not answer');
  }
}

async function textOf(response: Response): Promise<string> {
  const text = await response.text();
  if (response.ok) return text;
  const { status } = response;
  const detail = detailOf(text);
  const message = detail ?? `The server answered ${status}`;
  if (status === 401) signOut(message);
  // Without a detail, it is the answer of a proxy, which may know the server again in a moment.
  throw new ApiError(status, message, detail !== undefined && FINAL.includes(status));
}

function detailOf(text: string): string | undefined {
  try {
    const { detail, errors } = JSON.parse(text) as { detail?: string; errors?: Record<string, string[]> };
    const reasons = Object.values(errors ?? {}).flat();
    return reasons.length === 0 ? detail : reasons.join('; ');
  } catch {
    return undefined;
  }
}
