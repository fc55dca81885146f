import { afterAll, beforeAll, describe } from 'vitest';
import {
  builtInConversation,
  channelConversation,
  CONVERSATION_ENVIRONMENT,
  ConversationFeature,
} from '../support/conversation.js';
import { startFunction, type TestFunction } from '../support/serverless-server.js';

/** The same conversation as test/gateway/conversation.spec.ts. docs/serverless.md lists what it leaves out. */
describe('a conversation with a function behind API Gateway', () => {
  let fn: TestFunction;
  beforeAll(async () => {
    fn = await startFunction({ environment: CONVERSATION_ENVIRONMENT, feature: ConversationFeature });
  });
  afterAll(() => fn[Symbol.asyncDispose]());

  builtInConversation(() => fn);
  channelConversation(() => fn);
});
