import { describe, expect, it } from 'vitest';
import { MessageScope } from '../../../../src/dispatch/calls/message-scope.js';
import type { MessageContext } from '../../../../src/dispatch/calls/message-context.js';

const CONTEXT = { session: { id: 'one' }, message: { id: 1 } } as unknown as MessageContext;

describe('the scope of a message', () => {
  it('is known in the handler and behind an await, and nowhere else', async () => {
    const scope = MessageScope.of({ log: { correlation: 'on' } } as Parameters<typeof MessageScope.of>[0]);
    const seen = scope?.around(async () => {
      await Promise.resolve();
      return scope.fields();
    });
    expect(await seen?.(CONTEXT, undefined)).toEqual({ session: 'one', id: 1 });
    expect(scope?.fields()).toEqual({});
    scope?.onApplicationShutdown();
  });

  it('is no longer followed after the server has stopped, which would make every promise slower', async () => {
    const scope = new MessageScope();
    const seen = scope.around(async () => {
      scope.onApplicationShutdown();
      await Promise.resolve();
      return scope.fields();
    });
    expect(await seen(CONTEXT, undefined)).toEqual({});
  });
});
