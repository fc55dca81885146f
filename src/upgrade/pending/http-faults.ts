import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { linger } from './linger.js';

/** Why HTTP connections are closed before there is a request to answer; the key is the label of the counter. */
export const HTTP_FAULTS = {
  request_timeout: 408,
  head_too_large: 431,
  too_many_headers: 431,
  malformed_request: 400,
  // It gets no answer.
  too_many_waiting: undefined,
  too_many_waiting_from_address: undefined,
} as const satisfies Record<string, number | undefined>;

export type HttpFault = keyof typeof HTTP_FAULTS;

const FAULT_OF_CODE: Readonly<Record<string, HttpFault>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'head_too_large',
};

/**
 * The fault behind Node's error on a client's connection; undefined if the client has only left, or does not speak TLS.
 */
export function httpFaultOf({ code = '' }: NodeJS.ErrnoException): HttpFault | undefined {
  // It hung up in the middle of its headers.
  if (code === 'HPE_INVALID_EOF_STATE') return undefined;
  return FAULT_OF_CODE[code] ?? (code.startsWith('HPE_') ? 'malformed_request' : undefined);
}

/** Sends the status of the fault, if it has one, and closes the connection. */
export function answerFault(socket: Duplex, fault: HttpFault): void {
  const status = HTTP_FAULTS[fault];
  if (status === undefined) {
    socket.destroy();
    return;
  }
  ignoreInput(socket);
  linger(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

/** A listener of our own takes the socket from Node's parser, which would check what still arrives. */
export function ignoreInput(socket: Duplex): void {
  socket.removeAllListeners('data');
  socket.on('data', () => {});
}
