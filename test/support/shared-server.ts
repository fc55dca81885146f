import { afterAll, beforeAll } from 'vitest';
import type { Environment } from '../../config/settings.js';
import type { StartOptions } from '../../src/server.js';
import { startTestServer, type TestServer } from './test-server.js';

/**
 * Starts one server for all tests of the surrounding `describe`, and closes it after the last. For tests that do not change
 * the server: a table of requests, one row each.
 */
export function sharedServer(environment: Environment = {}, features: StartOptions['features'] = []): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await startTestServer(environment, features);
  });
  afterAll(() => server?.close());
  return () => {
    if (server === undefined) throw new Error('The server is there only while a test runs');
    return server;
  };
}

/**
 * Starts one server for each set of settings that the tests of this file ask for, and closes them after the last test. For
 * tests that look at their own sessions alone.
 */
export function sharedServers(): (environment?: Environment) => Promise<TestServer> {
  const started = new Map<string, Promise<TestServer>>();
  afterAll(async () => {
    for (const server of await Promise.all(started.values())) await server.close();
  });
  return (environment = {}) => {
    const key = JSON.stringify(environment);
    const server = started.get(key) ?? startTestServer(environment);
    started.set(key, server);
    return server;
  };
}
