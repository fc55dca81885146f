import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';

export const PROBLEM_TYPE = 'application/problem+json';

const DISCARD_MS = 2_000;

/** An error response of RFC 9457. */
export interface PlainProblem {
  readonly type: 'about:blank';
  /** The reason phrase of the status. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

/** @param detail must not quote input of the client */
export function plainProblem(status: number, detail = nameOf(status)): PlainProblem {
  return { type: 'about:blank', title: nameOf(status), status, detail };
}

export function nameOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

/** Answers once. */
export function writeProblem(
  response: ServerResponse,
  problem: PlainProblem,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return void response.destroy();
  const text = JSON.stringify(problem);
  if (!response.req.complete) discardRest(response.req);
  response.writeHead(problem.status, {
    'Cache-Control': 'no-store',
    ...headers,
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/**
 * The rest of an answered request is read and discarded for a while: a client that finds the connection closed while it
 * sends does not read the answer.
 */
function discardRest(request: IncomingMessage): void {
  request.resume();
  setTimeout(() => {
    if (!request.complete) request.destroy();
  }, DISCARD_MS).unref();
}
