import { randomUUID } from 'node:crypto';

import { JwtService } from '@nestjs/jwt';

import type { AuthenticationSettings } from './authentication-settings.js';
import { secretKey } from './static-keys.js';

export interface TokenRequest {
  readonly sub: string;
  readonly roles: readonly string[];
  readonly expiresInSeconds: number;
}

/** Signs tokens for development and the command line. In production tokens come from the issuer. */
export class TokenMinter {
  constructor(private readonly settings: AuthenticationSettings) {}

  /** @throws Error if JWT_SECRET is not set */
  mint({ sub, roles, expiresInSeconds }: TokenRequest): string {
    const { jwtSecret, issuer, audience } = this.settings;
    if (jwtSecret === undefined) throw new Error('JWT_SECRET must be set to mint a token');

    const jwt = new JwtService({ secret: secretKey(jwtSecret) });
    return jwt.sign(
      { sub, roles },
      {
        algorithm: 'HS256',
        expiresIn: expiresInSeconds,
        jwtid: randomUUID(),
        ...(issuer !== undefined && { issuer }),
        ...(audience !== undefined && { audience }),
      },
    );
  }
}
