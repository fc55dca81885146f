import type { KeyObject } from 'node:crypto';

import { JwtService } from '@nestjs/jwt';

import type { Algorithm } from './algorithms.js';
import type { AuthenticationSettings } from './authentication-settings.js';

export type ExpectedIssuer = Pick<AuthenticationSettings, 'issuer' | 'audience'>;

/**
 * A JwtService that verifies with this key and these algorithms only, whatever a token's header says: there is no call
 * in which a key could meet another family's algorithm. The key comes imported, because jsonwebtoken tries to read a
 * string as a PEM at each call: 720 µs for HS256 instead of 14.
 */
export function keyCheck(
  key: KeyObject,
  algorithms: readonly Algorithm[],
  { issuer, audience }: ExpectedIssuer,
): JwtService {
  return new JwtService({
    secret: key,
    verifyOptions: {
      algorithms: [...algorithms],
      // Its tolerance would hold for exp as well; the claims are read with one that does not.
      ignoreNotBefore: true,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    },
  });
}
