import type { IncomingMessage, ServerResponse } from 'node:http';
import { plainProblem, writeProblem } from './problem-json.js';
import type { TransportEvents } from './transport-events.js';

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** A middleware that lets no request pass with a body that nobody has read by then. */
export function bodyRefuser(events: TransportEvents) {
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    if (!hasBody(request) || request.readableEnded) return next();
    events.emit('refused', 'body');
    writeProblem(response, plainProblem(413, 'No body is accepted here'), { Connection: 'close' });
  };
}
