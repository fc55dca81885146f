// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { createClient } from '../src/index.js';
import { environmentOf, type PageEvent } from '../src/environment.js';
import { TestServer } from '../src/testing.js';

interface Globals {
  readonly Event: new (type: string) => never;
  readonly document: object;
  dispatchEvent(event: never): void;
}
const globals = globalThis as unknown as Globals;

function happen(type: string): void {
  globals.dispatchEvent(new globals.Event(type));
}

function show(visibilityState: 'hidden' | 'visible'): void {
  Object.defineProperty(globals.document, 'visibilityState', { value: visibilityState, configurable: true });
  happen('visibilitychange');
}

it('hears what the browser tells of the page, until it does not want to any more', () => {
  const { page } = environmentOf({});
  const heard: PageEvent[] = [];
  const end = page?.listen((event) => heard.push(event));
  show('hidden');
  expect([page?.hidden, heard]).toEqual([true, []]);
  show('visible');
  for (const type of ['offline', 'online', 'pagehide', 'pageshow', 'freeze', 'resume']) happen(type);
  const all: PageEvent[] = ['visible', 'offline', 'online', 'gone', 'shown', 'gone', 'resumed'];
  expect([page?.hidden, heard]).toEqual([false, all]);
  end?.();
  happen('online');
  expect(heard).toEqual(all);
});

it('closes the connection of a page that is left, and connects when the page comes back', async () => {
  const server = new TestServer();
  const client = createClient({ url: 'ws://test/ws', ...server.environment });
  client.connect();
  await server.clock.advance(1_000);
  expect(server.connections).toBe(1);
  happen('pagehide');
  await server.clock.advance(1_000);
  expect(server.connections).toBe(0);
  happen('pageshow');
  await server.clock.advance(1_000);
  expect(server.connections).toBe(1);
  client.close();
});
