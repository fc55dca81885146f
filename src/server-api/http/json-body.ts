import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { jsonCodec } from '../../protocol/codecs/json-codec.js';
import { hasBody } from '../../transport/request-body.js';
import { ProblemError } from './problem.js';

const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/**
 * Reads the body of a request as JSON, by the rules of the v1.json codec: limited depth and number of containers, no
 * key `__proto__`, no number too large for a double. Undefined if there is no body.
 *
 * @throws ProblemError 415, GatehouseError MESSAGE_TOO_LARGE or INVALID_MESSAGE_FORMAT
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!hasBody(request)) return undefined;
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
  if (!JSON_TYPE.test(type) || encoding.toLowerCase() !== 'identity') {
    throw new ProblemError(415, 'The body must be application/json in UTF-8, not compressed', {
      'Accept-Post': 'application/json',
    });
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw new GatehouseError('MESSAGE_TOO_LARGE');
  const bytes = await read(request, maxBytes);
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new GatehouseError('INVALID_MESSAGE_FORMAT', { message: 'The body is not UTF-8' });
  return decode(bytes);
}

function read(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        request.removeAllListeners('data').pause();
        reject(new GatehouseError('MESSAGE_TOO_LARGE'));
        return;
      }
      chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks, size)));
    // The client has disconnected, so nobody reads the response.
    request.once('close', () => reject(new ProblemError(400, 'The request ended early')));
    request.once('error', () => reject(new ProblemError(400, 'The request ended early')));
  });
}

function decode(bytes: Buffer): unknown {
  try {
    return jsonCodec.decode(bytes);
  } catch {
    throw new GatehouseError('INVALID_MESSAGE_FORMAT', {
      message: 'The body is not JSON, is too complex, or has a number such as 1e400',
    });
  }
}
