import { createParamDecorator, Injectable, type ExecutionContext } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { AnswerStore } from '../../cluster/ports/answer-store.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { callerOf, type ApiRequest } from '../http/caller.js';

const MAX_KEY_LENGTH = 128;
const RETRY_AFTER_MS = 1_000;

/** A request that must not be carried out twice. */
export interface OneTimeRequest {
  /** Made of the caller, the endpoint and the Idempotency-Key. */
  readonly key: string;
  /** A digest of the URL and the body. */
  readonly fingerprint: string;
}

/** A parameter decorator for the request's Idempotency-Key; undefined if there is none. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext) =>
  keyOf(context.switchToHttp().getRequest<ApiRequest>()),
);

/** A parameter decorator with everything that `Once` needs; undefined without an Idempotency-Key. */
export const OneTime = createParamDecorator((_: unknown, context: ExecutionContext): OneTimeRequest | undefined => {
  const request = context.switchToHttp().getRequest<ApiRequest & { readonly originalUrl: string }>();
  const key = keyOf(request);
  if (key === undefined) return undefined;
  return {
    key: digest([callerOf(request).userId, request.route?.path, key]),
    fingerprint: digest([request.originalUrl, request.body]),
  };
});

/** Carries a request out once in five minutes, over all nodes, and gives repetitions the same response. */
@Injectable()
export class Once {
  constructor(private readonly store: AnswerStore) {}

  /**
   * @param request undefined: carried out each time
   * @throws GatehouseError VALIDATION_FAILED if the key was used for another request; DUPLICATE_MESSAGE if the first
   *   one is in progress or its response was lost; SERVER_BUSY if Redis cannot be reached: then nothing was done
   */
  async answer<T>(request: OneTimeRequest | undefined, act: () => Promise<T>): Promise<T> {
    if (request === undefined) return act();
    const { key, fingerprint } = request;
    const claim = await this.store.claim(key, fingerprint);
    if (claim.state !== 'claimed') {
      if (claim.fingerprint !== fingerprint) throw invalidKey('was used for another request');
      if (claim.state === 'answered') return claim.answer as T;
      throw new GatehouseError('DUPLICATE_MESSAGE', {
        message: 'A request with this Idempotency-Key is still in progress, or its response was lost',
        retryAfter: RETRY_AFTER_MS,
      });
    }
    return this.carryOut(request, act);
  }

  private async carryOut<T>({ key, fingerprint }: OneTimeRequest, act: () => Promise<T>): Promise<T> {
    let answer: T;
    try {
      answer = await act();
    } catch (error) {
      // If this fails too, the key stays in use: the request may be lost, but is never carried out twice.
      await this.store.release(key).catch(() => undefined);
      throw error;
    }
    // It is done, and this is the response, even if it could not be stored for repetitions.
    await this.store.keep(key, fingerprint, answer).catch(() => undefined);
    return answer;
  }
}

function keyOf({ headers }: ApiRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && key.length > 0 && key.length <= MAX_KEY_LENGTH) return key;
  throw invalidKey(`must be 1 to ${MAX_KEY_LENGTH} characters`);
}

export function invalidKey(reason: string): GatehouseError {
  return new GatehouseError('VALIDATION_FAILED', { details: { 'Idempotency-Key': [reason] } });
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
