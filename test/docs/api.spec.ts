import { describe, expect, it } from 'vitest';
import { STATUS_OF } from '../../src/server-api/http/problem.js';
import { fetch } from '../support/fetch.js';
import { startTestServer } from '../support/test-server.js';
import { literal, read, section, table } from './markdown.js';

const text = read('docs/api.md');

describe('docs/api.md', () => {
  it('lists every error code with its status', () => {
    const documented = table(section(text, '## Errors'), 'code').map(({ code, status }) => [
      literal(code),
      Number(status),
    ]);
    expect(Object.fromEntries(documented)).toEqual(STATUS_OF);
  });

  it('has an example of every endpoint', async () => {
    await using server = await startTestServer();
    const { paths } = (await (await fetch(`${server.http}/docs-json`)).json()) as { paths: Record<string, object> };
    const examples = [...text.matchAll(/^(?:api|curl) .*?localhost:8080(\S+?)['\s]/gm)].map(([, path = '']) => path);
    const isShown = (path: string): boolean => {
      const pattern = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}(?:\\?|$)`);
      return examples.some((example) => pattern.test(example));
    };
    expect(Object.keys(paths).filter((path) => !isShown(path))).toEqual([]);
  });
});
