import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Download } from '../../observability/diagnostics/download.js';
import { ProblemError } from '../http/problem.js';

/** A caller that takes nothing for so long has gone, as far as anyone can tell. */
const STALL_MS = 30_000;
/** As nginx counts them: no answer reached the client. */
const CLIENT_HAS_GONE = 499;

/**
 * Answers with a file, as fast as the caller takes it. Resolves when it has all of it.
 *
 * @throws ProblemError 499 where the caller has gone before; the file is let go then
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
 * Keeps the connection of a caller who has to wait: nothing moves on it, and while a heap snapshot is written the whole process
 * stands still, so that the limit for idle connections would be over before the answer.
 */
export function awaitAnswer(response: ServerResponse): void {
  response.setTimeout(0);
}

/** Aborted when the caller goes away before it is answered. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once('close', () => gone.abort());
  return gone.signal;
}
