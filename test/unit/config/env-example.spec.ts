import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFINITIONS } from '../../../config/definitions.js';
import { renderEnvExample } from '../../../config/env-example.js';
import { loadSettings } from '../../../config/settings.js';

describe('.env.example', () => {
  it('is what the definitions say', () => {
    expect(readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')).toBe(renderEnvExample());
  });

  it('names every setting once', () => {
    const named = [...renderEnvExample().matchAll(/^#([A-Z_]+)=/gm)].map(([, env]) => env);
    const defined = Object.values(DEFINITIONS).flatMap((group) => Object.values(group).map(({ env }) => env));
    expect(named).toEqual(defined);
    expect(new Set(named).size).toBe(named.length);
  });

  it('changes nothing when every line is uncommented as it stands', () => {
    const lines = [...renderEnvExample().matchAll(/^#([A-Z_]+)=(.*)$/gm)];
    const uncommented = Object.fromEntries(lines.map(([, env = '', value = '']) => [env, value]));
    const own = { NODE_ENV: 'test', SERVER_ID: 'node-7', JWT_SECRET: 'a-secret-of-tests-with-enough-characters' };
    expect(loadSettings({ ...uncommented, ...own })).toEqual(loadSettings(own));
  });
});
