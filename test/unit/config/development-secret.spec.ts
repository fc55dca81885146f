import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { developmentSecret } from '../../../config/development-secret.js';
import { loadSettings } from '../../../config/settings.js';

function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

describe('the development secret', () => {
  it('is kept in a file that only its owner can read, so that the next start signs with the same', () => {
    using folder = temporaryFolder();
    const secret = developmentSecret(folder.path);
    const file = join(folder.path, '.gatehouse', 'development-secret');
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(readFileSync(file, 'utf8').trim()).toBe(secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(developmentSecret(folder.path)).toBe(secret);
  });

  it('replaces one that is too short to be safe', () => {
    using folder = temporaryFolder();
    developmentSecret(folder.path);
    const file = join(folder.path, '.gatehouse', 'development-secret');
    writeFileSync(file, 'short\n');
    const secret = developmentSecret(folder.path);
    expect(secret.length).toBeGreaterThanOrEqual(43);
    expect(readFileSync(file, 'utf8').trim()).toBe(secret);
  });

  it('is made all the same where no file can be written', () => {
    using folder = temporaryFolder();
    const noFolder = join(folder.path, 'a-file');
    writeFileSync(noFolder, '');
    const secrets = [developmentSecret(noFolder), developmentSecret(noFolder)];
    expect(secrets[0]).toMatch(/^[\w-]{43}$/);
    expect(secrets[1]).not.toBe(secrets[0]);
  });

  it('is used only where no key is given and tokens are read', () => {
    using folder = temporaryFolder();
    const home = process.cwd();
    process.chdir(folder.path);
    try {
      const made = loadSettings({ NODE_ENV: 'development' });
      expect(made.madeDevelopmentSecret).toBe(true);
      expect(made.authentication.jwtSecret).toBe(developmentSecret(folder.path));
      const off = loadSettings({ NODE_ENV: 'development', AUTH_MODE: 'off' });
      expect([off.madeDevelopmentSecret, off.authentication.jwtSecret]).toEqual([false, undefined]);
      expect(loadSettings({ JWT_JWKS_URL: 'https://issuer.example/keys' }).madeDevelopmentSecret).toBe(false);
    } finally {
      process.chdir(home);
    }
  });
});
