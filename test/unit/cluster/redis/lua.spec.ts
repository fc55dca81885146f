import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ENGINE = 'src/cluster/redis';
const FOLDER = join(ENGINE, 'lua');

function mentioned(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) => name));
}

describe('the scripts for Redis', () => {
  const files = readdirSync(ENGINE, { recursive: true, encoding: 'utf8' }).map((name) => join(ENGINE, name));
  const present = readdirSync(FOLDER).map((name) => name.replace(/\.lua$/, ''));
  const loaded = mentioned(
    files.filter((name) => name.endsWith('.ts')),
    /RedisScript\.load\('([\w-]+)'\)/g,
  );
  const included = mentioned(
    files.filter((name) => name.endsWith('.lua')),
    /^-- @include ([\w-]+)$/gm,
  );

  it('are all used, and each is loaded once', () => {
    expect([...new Set([...loaded, ...included])].toSorted()).toEqual(present.toSorted());
    expect(loaded).toEqual([...new Set(loaded)]);
  });

  it('are loaded or included, not both', () => {
    expect(loaded.filter((name) => included.includes(name))).toEqual([]);
  });
});
