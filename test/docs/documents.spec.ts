import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFINITIONS } from '../../config/definitions.js';
import type { Setting } from '../../config/setting.js';
import { ERRORS } from '@gatehouse/protocol';
import { codeBlocks, read } from './markdown.js';

const DOCUMENTS = [
  '.',
  'docs',
  'docs/adr',
  'examples',
  'examples/gateway-chat',
  'examples/edge',
  'examples/fleet',
  'examples/orders',
  'examples/scene',
  'examples/twin',
  'deploy/helm/gatehouse',
  'packages/create-gatehouse',
  'packages/create-gatehouse/template',
].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

const SETTINGS = new Set(
  Object.values(DEFINITIONS).flatMap((group) => Object.values(group).map(({ env }: Setting<unknown>) => env)),
);
const FIRST_WORDS = new Set([...SETTINGS].map((name) => name.split('_')[0]));
/** Node's own, and codes of the client library. */
const OTHERS = new Set([
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'CONNECTION_LOST',
  'HANDLER_FAILED',
  // Of deploy/compose.postgres.env.
  'POSTGRES_PASSWORD',
]);

const MAX_LINE_LENGTH = 120;

describe.each(DOCUMENTS)('%s', (path) => {
  const text = read(path);

  it('links only to files and headings that are there', () => {
    const broken = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .map(([link, file = '', anchor]) => ({ link, target: file === '' ? path : join(dirname(path), file), anchor }))
      .filter(({ target, anchor }) => !existsSync(target) || (anchor !== undefined && !anchorsOf(target).has(anchor)));
    expect(broken).toEqual([]);
  });

  it('names only settings that exist', () => {
    const named = [...text.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
    const meant = named.filter((name) => FIRST_WORDS.has(name.split('_')[0]) && !(name in ERRORS));
    expect(meant.filter((name) => !SETTINGS.has(name) && !OTHERS.has(name))).toEqual([]);
  });

  // An entry of the change log is one line, so that branches merge without conflicts.
  it.skipIf(path === 'CHANGELOG.md')('has no line of prose over 120 characters', () => {
    const tooLong = proseLines(text).filter((line) => line.length > MAX_LINE_LENGTH);
    expect(tooLong).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

/** Lines outside tables and code; a line that is nothing but a link cannot be broken. */
function proseLines(text: string): string[] {
  return text
    .replace(/^ *```[^]*?^ *```$/gm, '')
    .split('\n')
    .filter((line) => !line.startsWith('|') && !/^\S*\[[^\]]*\]\([^)]*\)\S*$/.test(line));
}

/** As GitHub makes them of headings. */
function anchorsOf(path: string): Set<string> {
  if (!path.endsWith('.md')) return new Set();
  const headings = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('the code in README.md', () => {
  it('is the very text of examples/poll.gateway.ts, which test/package compiles and runs', () => {
    expect(codeBlocks(read('README.md'), 'ts')).toContain(read('examples/poll.gateway.ts'));
  });
});
