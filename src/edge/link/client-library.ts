import type { Publisher } from '@gatehouse/protocol';
import { ORDERS_CHANGED } from '../edge-protocol.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';

/** Why the client asks for a token. */
export interface TokenAsk {
  readonly reason: 'connect' | 'expiring' | 'refused';
}

export interface UpstreamRequest {
  readonly timeoutMs: number;
  readonly idempotent?: boolean;
  readonly retry?: boolean;
}

/** An error of the client, or of the centre. */
export interface UpstreamError extends Error {
  readonly code: string;
  readonly details?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly retryAfter?: number | undefined;
  readonly data?: unknown;
}

/** The client library says them when the connection fails, not the centre. */
const OF_THE_LINK: readonly string[] = [
  'NOT_CONNECTED',
  'CONNECTION_LOST',
  'NO_ANSWER',
  'CLOSED',
  'QUEUE_FULL',
  'ABORTED',
];

export function isOfTheLink(code: string): boolean {
  return OF_THE_LINK.includes(code);
}

/** Messages of the centre about channels that this edge has subscribed to, and about orders. */
export const PUSHES = ['message', 'gap', 'unsubscribed', ORDERS_CHANGED] as const;

/** A message of the centre that answers nothing. */
export interface UpstreamPush {
  readonly type: string;
  readonly channel?: string | undefined;
  readonly epoch?: string | undefined;
  readonly seq?: number | undefined;
  readonly ts?: number | undefined;
  readonly data?: unknown;
  readonly from?: Publisher | undefined;
}

/** What an edge uses of a client. */
export interface UpstreamClient {
  getSnapshot(): {
    readonly state: 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';
    readonly close?: { readonly code: number; readonly reason: string } | undefined;
  };
  subscribe(listener: () => void): () => void;
  on(type: 'error', handler: (error: UpstreamError) => void): () => void;
  on(type: (typeof PUSHES)[number], handler: (data: unknown, message: UpstreamPush) => void): () => void;
  connect(): void;
  close(): void;
  /** @throws UpstreamError */
  request(type: string, data: unknown, options: UpstreamRequest): Promise<unknown>;
}

export interface UpstreamOptions {
  readonly url: string;
  readonly token: (ask: TokenAsk) => Promise<string>;
  readonly WebSocket: unknown;
}

/** Opens a client that speaks MessagePack, which carries bytes, too. */
export type OpenClient = (options: UpstreamOptions) => UpstreamClient;

interface Core {
  createClient(options: UpstreamOptions & { readonly codec: unknown }): UpstreamClient;
}

/** In variables, because a server is compiled without the client library. A test compares the types. */
const CORE: string = '@gatehouse/client';
const CODEC: string = '@gatehouse/client/msgpack';

/** @throws UnusableSettings with the line that installs it */
export async function loadClientLibrary(
  load: (name: string) => Promise<unknown> = (name) => import(name) as Promise<unknown>,
): Promise<OpenClient> {
  try {
    const core = (await load(CORE)) as Core;
    const { msgpack: codec } = (await load(CODEC)) as { readonly msgpack: unknown };
    return (options) => core.createClient({ ...options, codec });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UnusableSettings([`EDGE_UPSTREAM needs a package that is not installed. Run: npm install ${CORE}`]);
  }
}
