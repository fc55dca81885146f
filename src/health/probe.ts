import { get as getPlain } from 'node:http';
import { get as getEncrypted } from 'node:https';
import type { OwnAddress } from '../../config/own-address.js';

/** Whether the server at an address says that it is alive. Also false if it does not answer in time. */
export function isAlive({ host, port, isEncrypted }: OwnAddress, timeoutMs: number): Promise<boolean> {
  const get = isEncrypted ? getEncrypted : getPlain;
  return new Promise((resolve) => {
    // The certificate has the name that clients use, and only this machine is asked.
    const options = { host, port, path: '/health', agent: false, rejectUnauthorized: false };
    const request = get(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
    // A limit for the whole request and not for a silence: otherwise a stalled server could trickle bytes forever.
    const timer = setTimeout(() => {
      resolve(false);
      request.destroy();
    }, timeoutMs);
    request.on('close', () => clearTimeout(timer));
  });
}
