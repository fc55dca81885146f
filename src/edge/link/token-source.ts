import { readFile } from 'node:fs/promises';
import type { TokenAsk } from './client-library.js';

/** Where the token of the edge comes from. */
export interface TokenSettings {
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

/**
 * Returns what the client asks for tokens. The file is read each time, so that a new token needs no restart.
 *
 * @param refused called if the centre has refused the only token that there is
 */
export function tokenSource(
  { token, tokenFile }: TokenSettings,
  refused: (reason: string) => void,
): (ask: TokenAsk) => Promise<string> {
  let last: string | undefined;
  return async ({ reason }) => {
    const current = (tokenFile === undefined ? token : await readFile(tokenFile, 'utf8'))?.trim() ?? '';
    const isSame = current === last;
    last = current;
    // The same token would be refused again, and as a renewal it would renew nothing.
    if (current !== '' && !(isSame && reason !== 'connect')) return current;
    const fault =
      current === '' ? 'there is no token' : 'the token has expired or was refused, and there is no newer one';
    if (reason === 'refused' || current === '') refused(fault);
    throw new Error(fault);
  };
}
