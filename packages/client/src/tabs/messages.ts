/** From a tab to the tab that leads, about one of its sockets. */
export type ToHub =
  | { readonly kind: 'open'; readonly socket: string; readonly protocols: readonly string[] }
  | { readonly kind: 'frame'; readonly socket: string; readonly data: string }
  | { readonly kind: 'close'; readonly socket: string };

/** From the tab that leads. `leads`: another tab has begun to lead, and knows nothing of older sockets. */
export type FromHub =
  | { readonly kind: 'leads' }
  | { readonly kind: 'opened'; readonly socket: string }
  | { readonly kind: 'received'; readonly socket: string; readonly data: string }
  | { readonly kind: 'closed'; readonly socket: string; readonly code: number; readonly reason: string };

export interface Locks {
  request(
    name: string,
    options: { readonly steal?: boolean; readonly signal?: AbortSignal },
    run: () => Promise<unknown>,
  ): Promise<unknown>;
}

export interface Channel {
  onmessage: ((event: never) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}
