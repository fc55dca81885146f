import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLIENT_PAGE, referenceOf, withReference } from '../../scripts/client-types.js';
import { literal, read, section, table } from './markdown.js';

describe('docs/client.md', () => {
  const page = read(CLIENT_PAGE);

  it('has the types of the library as its reference: npm run client:reference writes it', async () => {
    const reference = referenceOf(resolve('packages/client/src'));
    expect(await withReference(page, reference)).toBe(page);
    expect(await withReference(page, `${reference}\n### another`)).not.toBe(page);
    for (const entry of ['', '/react', '/tabs', '/msgpack', '/fernet', '/testing'])
      expect(section(page, `### @gatehouse/client${entry}`)).toMatch(/^(function|const|class) /m);
  });

  it('says what each error of the client means', () => {
    const [, codes = ''] = /type LocalCode =([^;]+);/.exec(page) ?? [];
    const known = [...codes.matchAll(/'(\w+)'/g)].map(([, code]) => code);
    const described = table(section(page, '## Errors'), 'code').map(({ code }) => literal(code));
    expect(new Set(described)).toEqual(new Set(known));
  });

  it('has every state of the connection, as protocol-for-clients.md draws them', () => {
    const [, states = ''] = /type State =([^;]+);/.exec(page) ?? [];
    const known = [...states.matchAll(/'(\w+)'/g)].map(([, state = '']) => state);
    expect(table(section(page, '## Connection'), 'state').map(({ state }) => literal(state))).toEqual(known);
    const picture = section(read('docs/protocol-for-clients.md'), '## States');
    const drawn = [...picture.matchAll(/^ {2}(\S+) --> ([^\s:]+)/gm)].flatMap(([, from = '', to = '']) => [from, to]);
    expect(new Set(drawn.filter((state) => state !== '[*]'))).toEqual(new Set(known));
  });
});
