import { get as getPlain } from 'node:http';
import { get as getEncrypted } from 'node:https';
import type { OwnAddress } from '../../config/own-address.js';

/** Whether the server at an address says that it is alive; false also where it has not answered in time. */
export function isAlive({ host, port, isEncrypted }: OwnAddress, timeoutMs: number): Promise<boolean> {
  const get = isEncrypted ? getEncrypted : getPlain;
  return new Promise((resolve) => {
    // The certificate is of the name that clients know, and only ourselves are asked.
    const options = { host, port, path: '/health', agent: false, rejectUnauthorized: false };
    const request = get(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
    // Of the whole, and not of a silence: a stalled server would be waited for as long as bytes trickle.
    const timer = setTimeout(() => {
      resolve(false);
      request.destroy();
    }, timeoutMs);
    request.on('close', () => clearTimeout(timer));
  });
}
