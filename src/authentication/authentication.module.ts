import { Module } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { TokenMinter } from './token-minter.js';
import { TokenVerifier } from './token-verifier.js';

type Authenticating = Pick<Settings, 'authentication'>;

@Module({
  providers: [
    {
      provide: TokenVerifier,
      inject: [Settings],
      useFactory: ({ authentication }: Authenticating) => new TokenVerifier(authentication),
    },
    {
      provide: TokenMinter,
      inject: [Settings],
      useFactory: ({ authentication }: Authenticating) => new TokenMinter(authentication),
    },
  ],
  exports: [TokenVerifier, TokenMinter],
})
export class AuthenticationModule {}
