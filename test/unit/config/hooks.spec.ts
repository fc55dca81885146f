import { describe, expect, it } from 'vitest';
import { matcherOf, parseHooks } from '../../../config/hooks.js';
import { parseNamespaces } from '../../../config/namespaces.js';
import type { UnusableSettings } from '../../../config/unusable-settings.js';

const NAMESPACES = parseNamespaces('namespaces: { room: {} }');
const SECRET = `whsec_${Buffer.alloc(24).toString('base64')}`;
const APP = `endpoints: { app: { url: 'https://app.example/hook?a=b', secrets: [${SECRET}] } }`;

function faultsOf(text: string): readonly string[] {
  try {
    parseHooks(text, NAMESPACES);
    return [];
  } catch (error) {
    return (error as UnusableSettings).faults;
  }
}

describe('a hooks file', () => {
  it('has defaults for what it does not say', () => {
    const hooks = parseHooks(`${APP}\nconnect: { endpoint: app }\nevents: { endpoint: app }`, NAMESPACES);
    expect(hooks.endpoints.get('app')).toEqual({
      name: 'app',
      url: 'https://app.example/hook?a=b',
      secrets: [SECRET.slice('whsec_'.length)],
      timeoutMs: 1_000,
      concurrency: 64,
    });
    expect(hooks.connect).toEqual({ endpoint: 'app', onFailure: 'refuse' });
    expect(hooks.events).toMatchObject({ batch: 100, waitMs: 250 });
  });

  it.each([
    ['endpoints: 7', 'endpoints must be a map'],
    ['hooks: {}', 'hooks is not known'],
    [`endpoints: { app: { secrets: [${SECRET}] } }`, 'endpoints.app.url must be set'],
    [APP.replace('https:', 'ftp:'), 'endpoints.app.url must be an http or https URL without user name and fragment'],
    [APP.replace('app.example', 'u:p@app.example'), 'endpoints.app.url must be an http or https URL'],
    [APP.replace(SECRET, 'whsec_dGVh'), 'endpoints.app.secrets must be whsec_ and the base64 of 24 to 64 bytes'],
    [APP.replace(SECRET, 'file:/no/such'), 'names the file /no/such, which cannot be read (ENOENT)'],
    [APP.replace('app:', "'a b':"), 'endpoints.a b: a name is 1 to 64 letters'],
    [APP.replace('secrets', 'timeout: 31s, secrets'), 'endpoints.app.timeout must be a duration'],
    [`${APP}\nconnect: { endpoint: app, on_failure: allow }`, 'connect.on_failure must be one of refuse'],
    [`${APP}\nconnect: { endpoint: other }`, 'connect.endpoint: there is no endpoint other'],
    [`${APP}\npublish: { endpoint: app, namespaces: [feed] }`, 'publish.namespaces: there is no namespace feed'],
    [`${APP}\nmessages: [{ endpoint: app, types: [] }]`, 'messages[0].types must be a list of names'],
    [`${APP}\nmessages: [{ endpoint: b, types: [x] }]`, 'messages[0].endpoint: there is no endpoint b'],
    [`${APP}\nevents: { endpoint: app, types: [sesion.*] }`, 'events.types: no event is named sesion.*'],
  ])('is refused for %s', (text, fault) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(fault)]);
  });

  it('never quotes a secret', () => {
    expect(faultsOf(APP.replace(SECRET, 'whsec_secret')).join()).not.toContain('secret_');
    expect(faultsOf(APP.replace(SECRET, 'my-secret-text')).join()).not.toContain('my-secret-text');
  });
});

it('a star in a pattern stands for any text, and nothing else is special', () => {
  expect(['order.a', 'order.', 'order.a.b', 'xorder.a', 'orderXa'].filter(matcherOf('order.*'))).toEqual([
    'order.a',
    'order.',
    'order.a.b',
  ]);
});
