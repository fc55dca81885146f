import { GatehouseError } from '../../protocol/gatehouse-error.js';

/** The kinds of messages between a worker and the primary. */
export const CALL = 0;
/** A call without an answer. */
export const TELL = 1;
export const ANSWER = 2;
/** The call has failed. */
export const REFUSAL = 3;
/** A part of a long answer; the answer follows. */
export const PART = 4;
/** From the primary, without a call. */
export const EVENT = 5;

export type Arguments = readonly unknown[];

export type ToPrimary =
  | readonly [typeof CALL, id: number, method: string, parameters: Arguments]
  | readonly [typeof TELL, method: string, parameters: Arguments];

export type ToWorker =
  | readonly [typeof ANSWER, id: number, value: unknown]
  | readonly [typeof REFUSAL, id: number, code: string, retryAfter: number | undefined]
  | readonly [typeof PART, id: number, items: readonly unknown[]]
  | readonly [typeof EVENT, name: string, parameters: Arguments];

/** Both are started from one installation, so another version is a mistake. */
export const REMOTE_VERSION = 1;

/** Clients that get SERVER_BUSY try again after this long. */
const RETRY_AFTER_MS = 1_000;

export function busy(): GatehouseError {
  return new GatehouseError('SERVER_BUSY', { retryAfter: RETRY_AFTER_MS });
}

/** An answer that is sent in several frames, so that none keeps the event loop busy for long. */
export class LongAnswer {
  constructor(
    readonly items: readonly unknown[],
    readonly rest?: unknown,
  ) {}
}
