import { afterAll, beforeAll, describe } from 'vitest';
import {
  builtInConversation,
  channelConversation,
  CONVERSATION_ENVIRONMENT,
  ConversationFeature,
} from '../support/conversation.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

/** The same conversation as test/serverless/conversation.spec.ts. */
describe('a conversation with a server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer(CONVERSATION_ENVIRONMENT, [ConversationFeature]);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  builtInConversation(() => server);
  channelConversation(() => server);
});
