import type { DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';

import { Settings } from '../../../config/settings.js';
import type { AuthenticationSettings } from '../../../src/authentication/authentication-settings.js';
import { AuthenticationModule } from '../../../src/authentication/authentication.module.js';
import { TokenMinter } from '../../../src/authentication/token-minter.js';
import { TokenVerifier } from '../../../src/authentication/token-verifier.js';
import { SECRET, settings } from './tokens.js';

/** A module that gives the settings to all others, as the server's does. */
function provided(authentication: AuthenticationSettings): DynamicModule {
  const providers = [{ provide: Settings, useValue: { authentication } }];
  return { module: class {}, global: true, providers, exports: [Settings] };
}

const request = { sub: 'dev', roles: ['ADMIN'], expiresInSeconds: 60 };

describe('the authentication module', () => {
  it('gives a minter whose tokens its verifier accepts', async () => {
    const strict = settings({ jwtSecret: SECRET, issuer: 'https://id.example', audience: 'gatehouse' });
    const module = await Test.createTestingModule({ imports: [provided(strict), AuthenticationModule] }).compile();
    const verdict = await module
      .get(TokenVerifier, { strict: false })
      .verify(module.get(TokenMinter, { strict: false }).mint(request));
    expect(verdict).toMatchObject({ ok: true, principal: { userId: 'dev', roles: ['ADMIN'], anonymous: false } });
    await module.close();
  });

  it('does not start with a key it cannot use', async () => {
    const imports = [provided(settings({ jwtPublicKey: 'x' })), AuthenticationModule];
    await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow('JWT_PUBLIC_KEY');
  });
});

describe('a minted token', () => {
  it('expires when asked and has an id of its own', async () => {
    const minter = new TokenMinter(settings({ jwtSecret: SECRET }));
    const verifier = new TokenVerifier(settings({ jwtSecret: SECRET }));
    const [one, two] = await Promise.all([
      verifier.verify(minter.mint(request)),
      verifier.verify(minter.mint(request)),
    ]);
    if (!one.ok || !two.ok) throw new Error('minted tokens were refused');
    expect(one.principal.tokenId).not.toBe(two.principal.tokenId);
    expect(Math.abs((one.principal.expiresAt ?? 0) - Date.now() - 60_000)).toBeLessThan(2_000);
  });

  it('needs JWT_SECRET', () => {
    expect(() => new TokenMinter(settings({})).mint(request)).toThrow('JWT_SECRET');
  });
});
