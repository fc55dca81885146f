import { afterAll, beforeAll } from 'vitest';
import { startTestServer, type TestServer } from './test-server.js';

/**
 * Starts one server for all tests of the surrounding `describe`, and closes it behind the last. For tests that do not change
 * the server: a table of requests, one row each.
 */
export function sharedServer(...parameters: Parameters<typeof startTestServer>): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await startTestServer(...parameters);
  });
  afterAll(() => server?.close());
  return () => {
    if (server === undefined) throw new Error('The server is there only while a test runs');
    return server;
  };
}
