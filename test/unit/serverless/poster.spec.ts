import { expect, it, vi } from 'vitest';
import type { AwsClients } from '../../../src/serverless/aws/aws-clients.js';
import { Poster } from '../../../src/serverless/delivery/poster.js';
import { Invocation } from '../../../src/serverless/invocation.js';

const FRAME = Buffer.from('{}');

function errorNamed(name: string, httpStatusCode = 400): Error {
  return Object.assign(new Error(`${name} of the management API`), { name, $metadata: { httpStatusCode } });
}

/** A management API that fails with these errors, one after the other, and takes everything else. */
function scene({ failures = [], forget = async () => {} }: { failures?: Error[]; forget?: () => Promise<void> }) {
  const send = vi.fn(async (_command: unknown) => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  });
  const onFailure = vi.fn<(where: string, error: unknown) => void>();
  const onGone = vi.fn<(connectionId: string) => Promise<void>>(forget);
  const clients = { gateway: async () => ({ send }) } as unknown as AwsClients;
  const poster = new Poster({ clients, sleep: async () => {}, onGone });
  const invocation = new Invocation({ endpoint: 'https://api.test/prod', functionName: undefined, onFailure });
  return { poster, invocation, send, onFailure, onGone, counts: () => invocation.outcomes.toJSON() };
}

it('forgets a closed connection, and counts it', async () => {
  const { poster, invocation, onGone, counts } = scene({ failures: [errorNamed('GoneException', 410)] });
  expect(await invocation.run(() => poster.post('closed=', FRAME))).toBe('gone');
  expect(onGone).toHaveBeenCalledExactlyOnceWith('closed=');
  expect(counts()).toEqual({ gone: 1 });
});

it('counts rows of a closed connection that it could not delete, and logs why', async () => {
  const forget = () => Promise.reject(new Error('the table is away'));
  const { poster, invocation, onFailure, counts } = scene({ failures: [errorNamed('GoneException', 410)], forget });
  expect(await invocation.run(() => poster.post('closed=', FRAME))).toBe('gone');
  expect(onFailure).toHaveBeenCalledExactlyOnceWith('a departure', new Error('the table is away'));
  expect(counts()).toEqual({ gone: 1, rows_left: 1 });
});

it('treats a made-up connection as closed, and deletes no rows for it', async () => {
  const { poster, invocation, onGone, counts } = scene({ failures: [errorNamed('BadRequestException')] });
  expect(await invocation.run(() => poster.post('made up', FRAME))).toBe('gone');
  expect(onGone).not.toHaveBeenCalled();
  expect(counts()).toEqual({});
});

it('gives a frame up at once if API Gateway forbids the post, counts it, and logs why', async () => {
  const refusal = errorNamed('ForbiddenException', 403);
  const { poster, invocation, send, onFailure, counts } = scene({ failures: [refusal] });
  expect(await invocation.run(() => poster.post('open=', FRAME))).toBe('lost');
  expect(send).toHaveBeenCalledOnce();
  expect(onFailure).toHaveBeenCalledExactlyOnceWith('a post', refusal);
  expect(counts()).toEqual({ post_lost: 1 });
});

it('tries to end a connection again while API Gateway is busy', async () => {
  const { poster, invocation, send, counts } = scene({ failures: [errorNamed('LimitExceededException', 429)] });
  await invocation.run(() => poster.disconnect('open='));
  expect(send).toHaveBeenCalledTimes(2);
  expect(counts()).toEqual({});
});

it('has ended a connection that is closed already', async () => {
  const { poster, invocation, send, counts } = scene({ failures: [errorNamed('GoneException', 410)] });
  await invocation.run(() => poster.disconnect('closed='));
  expect(send).toHaveBeenCalledOnce();
  expect(counts()).toEqual({});
});

it('reports that it may not end a connection', async () => {
  const { poster, invocation } = scene({ failures: [errorNamed('ForbiddenException', 403)] });
  await expect(invocation.run(() => poster.disconnect('open='))).rejects.toThrow('ForbiddenException');
});

it('posts nothing outside of an event', async () => {
  const { poster } = scene({});
  await expect(poster.post('open=', FRAME)).rejects.toThrow('Nothing can be sent outside of an event');
});
