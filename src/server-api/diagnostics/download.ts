import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Download } from '../../observability/diagnostics/download.js';
import { ProblemError } from '../http/problem.js';

/** A client that accepts nothing for this long counts as disconnected. */
const STALL_MS = 30_000;
/** nginx's status for a response that did not reach the client. */
const CLIENT_HAS_GONE = 499;

/**
 * Sends a file as fast as the client reads it. Resolves when it is sent.
 *
 * @throws ProblemError 499 if the client disconnects; the file is then released
 */
export async function sendDownload(response: ServerResponse, { name, bytes, content }: Download): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': bytes,
    'Content-Disposition': `attachment; filename="${name}"`,
  });
  response.setTimeout(STALL_MS, () => response.destroy());
  try {
    await pipeline(content, response);
  } catch {
    content.destroy();
    throw new ProblemError(CLIENT_HAS_GONE, 'The client has disconnected');
  }
}

/**
 * Keeps the connection of a waiting client open: nothing is sent, and a heap snapshot stops the whole process, so the
 * limit for idle connections would pass before the response.
 */
export function awaitAnswer(response: ServerResponse): void {
  response.setTimeout(0);
}

/** Aborted if the client disconnects before the response. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once('close', () => gone.abort());
  return gone.signal;
}
