import { Injectable } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { isObservable, Observable } from 'rxjs';
import { fingerprintOf, ReplayGuard, type FirstTime } from '../../access/guards/replay-guard.js';
import { ERRORS, type ErrorCode } from '@gatehouse/protocol';
import type { InboundMessage } from '../../protocol/envelope.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { PayloadCipher } from '../../protocol/encryption/payload-cipher.js';
import type { Invocation } from './direct-call.js';
import { errorBody, type ErrorBody } from '../error-reply.js';
import type { MessageContext } from './message-context.js';

/** Handles protected messages once, and sends the first reply to repetitions. */
@Injectable()
export class ReplayProtection {
  constructor(private readonly guard: ReplayGuard) {}

  /** @internal For handlers with @ReplayProtected(). */
  protect(invoke: Invocation): Invocation {
    return (context, data) => this.once(context, () => invoke(context, data));
  }

  /**
   * An error that is worth a retry is not stored, so that the client may retry. For a stream, only a single value is
   * stored.
   *
   * @throws GatehouseError as ReplayGuard.judge
   */
  async once(context: MessageContext, act: () => unknown): Promise<unknown> {
    const verdict = await this.guard.judge(context.session.userId, context.message);
    const { cipher } = context;
    if ('first' in verdict) return this.carryOut(cipher ? sealing(verdict.first, cipher) : verdict.first, act);
    const { answered } = verdict;
    if ('error' in answered) throw exceptionOf(answered.error);
    return cipher && answered.data !== undefined ? cipher.openKept(answered.data) : answered.data;
  }

  /** The same text for the same message, and another text for every other: a good idempotency key. */
  fingerprintOf(message: InboundMessage): string {
    return fingerprintOf(message);
  }

  private async carryOut(first: FirstTime, act: () => unknown): Promise<unknown> {
    try {
      const result: unknown = await act();
      if (isObservable(result)) return watched(first, result);
      await first.keep({ data: result });
      return result;
    } catch (exception) {
      await settleFailure(first, exception);
      throw exception;
    }
  }
}

/** Keeps the reply to an encrypted message encrypted. */
function sealing(first: FirstTime, cipher: PayloadCipher): FirstTime {
  return {
    keep: async (answer) => {
      const hasData = 'data' in answer && answer.data !== undefined;
      await first.keep(hasData ? { data: cipher.seal(answer.data) } : answer);
    },
    release: async () => first.release(),
  };
}

/**
 * Passes the stream on. Its reply is stored when it ends; a stream with several values, or one that was cut off, is not
 * repeated.
 */
function watched(first: FirstTime, stream: Observable<unknown>): Observable<unknown> {
  return new Observable((subscriber) => {
    const values: unknown[] = [];
    return stream.subscribe({
      next(value) {
        // The second value only shows that there are several.
        if (values.length < 2) values.push(value);
        subscriber.next(value);
      },
      error(exception) {
        void settleFailure(first, exception).finally(() => subscriber.error(exception));
      },
      complete() {
        subscriber.complete();
        // After the reply, because a stream with a single value should end with it.
        if (values.length < 2) void first.keep({ data: values[0] }).catch(() => undefined);
      },
    });
  });
}

async function settleFailure(first: FirstTime, exception: unknown): Promise<void> {
  const error = errorBody(exception);
  if (isRegistered(error.code) && ERRORS[error.code].retry) await first.release();
  else await first.keep({ error });
}

/** Builds an error that gives the same reply. */
function exceptionOf(error: ErrorBody): Error {
  const { code, ...extras } = error;
  return isRegistered(code) ? new GatehouseError(code, extras) : new WsException(error);
}

/** An application may have codes of its own. */
function isRegistered(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
