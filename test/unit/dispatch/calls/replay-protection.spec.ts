import { WsException } from '@nestjs/websockets';
import { firstValueFrom, lastValueFrom, Observable, of, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { RememberedAnswer, ReplayGuard, ReplayVerdict } from '../../../../src/access/guards/replay-guard.js';
import type { MessageContext } from '../../../../src/dispatch/calls/message-context.js';
import { ReplayProtection } from '../../../../src/dispatch/calls/replay-protection.js';
import { errorBody } from '../../../../src/dispatch/error-reply.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';

/** Reverses texts, so that a test sees what is encrypted. */
const CIPHER = {
  seal: (data: unknown) => `sealed ${JSON.stringify(data)}`,
  openKept: (text: string) => JSON.parse(text.slice('sealed '.length)) as unknown,
};

function protection(cipher?: typeof CIPHER) {
  const kept: RememberedAnswer[] = [];
  const state = { kept, releases: 0, answered: undefined as RememberedAnswer | undefined };
  const first = {
    keep: async (answer: RememberedAnswer) => void kept.push(answer),
    release: async () => void (state.releases += 1),
  };
  const judge = async (): Promise<ReplayVerdict> =>
    state.answered === undefined ? { first } : { answered: state.answered };
  const context = { session: { userId: 'ada' }, message: { type: 'pay', id: 1 }, cipher } as unknown as MessageContext;
  const replay = new ReplayProtection({ judge } as unknown as ReplayGuard);
  return { state, handle: (act: () => unknown) => replay.once(context, act) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a protected message', () => {
  it('is handled once, and its repetition gets the first reply', async () => {
    const { state, handle } = protection();
    expect(await handle(() => ({ paid: 5 }))).toEqual({ paid: 5 });
    [state.answered] = state.kept;
    expect(await handle(() => expect.unreachable())).toEqual({ paid: 5 });
  });

  it('that failed for good fails again with the same error, of the protocol or of the application', async () => {
    for (const [error, code] of [
      [new GatehouseError('FORBIDDEN', { message: 'Not yours' }), 'FORBIDDEN'],
      [new WsException({ code: 'NO_MONEY', message: 'Too poor' }), 'NO_MONEY'],
    ] as const) {
      const { state, handle } = protection();
      await expect(handle(() => Promise.reject(error))).rejects.toBe(error);
      expect(state.kept).toEqual([{ error: expect.objectContaining({ code }) as object }]);
      [state.answered] = state.kept;
      const again = await handle(() => expect.unreachable()).catch((repeated: unknown) => repeated);
      expect(again).toBeInstanceOf(error.constructor);
      expect(errorBody(again)).toEqual(errorBody(error));
    }
  });

  it('may be tried again if its error says so', async () => {
    const { state, handle } = protection();
    await expect(handle(() => Promise.reject(new GatehouseError('SERVER_BUSY')))).rejects.toThrow();
    expect(state).toMatchObject({ kept: [], releases: 1 });
  });

  it('keeps the reply to an encrypted message encrypted', async () => {
    const { state, handle } = protection(CIPHER);
    expect(await handle(() => 'secret')).toBe('secret');
    expect(state.kept).toEqual([{ data: 'sealed "secret"' }]);
    [state.answered] = state.kept;
    expect(await handle(() => expect.unreachable())).toBe('secret');
  });

  it('has no payload to encrypt without a reply, or with an error', async () => {
    const { state, handle } = protection(CIPHER);
    expect(await handle(() => undefined)).toBeUndefined();
    await expect(handle(() => Promise.reject(new GatehouseError('FORBIDDEN')))).rejects.toThrow();
    await expect(handle(() => Promise.reject(new GatehouseError('SERVER_BUSY')))).rejects.toThrow();
    expect(state.kept).toEqual([
      { data: undefined },
      { error: expect.objectContaining({ code: 'FORBIDDEN' }) as object },
    ]);
    expect(state.releases).toBe(1);
    state.answered = { data: undefined };
    expect(await handle(() => expect.unreachable())).toBeUndefined();
  });
});

describe('a protected message that is answered by a stream', () => {
  it('of one value is repeated with it', async () => {
    const { state, handle } = protection();
    const stream = (await handle(() => of('only'))) as Observable<string>;
    expect(await firstValueFrom(stream)).toBe('only');
    await settled();
    expect(state.kept).toEqual([{ data: 'only' }]);
  });

  it('of several values is not repeated', async () => {
    const { state, handle } = protection();
    const stream = (await handle(() => of(1, 2, 3))) as Observable<number>;
    expect(await lastValueFrom(stream.pipe(toArray()))).toEqual([1, 2, 3]);
    await settled();
    expect(state.kept).toEqual([]);
  });

  it('that fails is kept or released before the client is told', async () => {
    const { state, handle } = protection();
    const forbidden = (await handle(() => throwError(() => new GatehouseError('FORBIDDEN')))) as Observable<never>;
    await expect(firstValueFrom(forbidden)).rejects.toThrow();
    expect(state.kept).toHaveLength(1);
    const busy = (await handle(() => throwError(() => new GatehouseError('SERVER_BUSY')))) as Observable<never>;
    await expect(firstValueFrom(busy)).rejects.toThrow();
    expect(state).toMatchObject({ releases: 1 });
  });
});
