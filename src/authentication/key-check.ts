import type { KeyObject } from 'node:crypto';

import { JwtService } from '@nestjs/jwt';

import type { Algorithm } from './algorithms.js';
import type { AuthenticationSettings } from './authentication-settings.js';

export type ExpectedIssuer = Pick<AuthenticationSettings, 'issuer' | 'audience'>;

/**
 * A JwtService that verifies only with this key and these algorithms, whatever the header of a token says, so that a
 * key never meets an algorithm of another family. The key is imported once, because jsonwebtoken tries to read a string
 * as a PEM at each call: 720 µs for HS256 instead of 14 µs.
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
      // Its tolerance would apply to exp as well. `readClaims` has a tolerance that does not.
      ignoreNotBefore: true,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    },
  });
}
