import { Module, type DynamicModule } from '@nestjs/common';

import type { AuthenticationSettings } from './authentication-settings.js';
import { TokenMinter } from './token-minter.js';
import { TokenVerifier } from './token-verifier.js';

@Module({})
export class AuthenticationModule {
  static register(settings: AuthenticationSettings): DynamicModule {
    return {
      module: AuthenticationModule,
      providers: [
        { provide: TokenVerifier, useFactory: () => new TokenVerifier(settings) },
        { provide: TokenMinter, useFactory: () => new TokenMinter(settings) },
      ],
      exports: [TokenVerifier, TokenMinter],
    };
  }
}
