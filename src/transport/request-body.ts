import type { IncomingMessage, ServerResponse } from 'node:http';
import { plainProblem, writeProblem } from './problem-json.js';
import type { TransportEvents } from './transport-events.js';

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** A middleware that refuses requests with a body that nothing has read. */
export function bodyRefuser(events: TransportEvents) {
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    if (!hasBody(request) || request.readableEnded) return next();
    events.emit('refused', 'body');
    writeProblem(response, plainProblem(413, 'No body is accepted here'), { Connection: 'close' });
  };
}
