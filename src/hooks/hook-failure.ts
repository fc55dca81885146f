/**
 * Why a back end could not be asked or told; the label of the metric.
 *
 * - `unreachable`: no connection, or it broke before the answer
 * - `timeout`: no answer within the timeout of the endpoint
 * - `bad_status`: a status other than 2xx; redirects are not followed
 * - `bad_answer`: not a JSON object of the expected shape, or larger than 1 MiB
 * - `overflow`: too many requests wait for this endpoint
 * - `breaker_open`: too many of the latest requests failed, so none is sent for a while
 */
export const HOOK_FAILURES = [
  'unreachable',
  'timeout',
  'bad_status',
  'bad_answer',
  'overflow',
  'breaker_open',
] as const;
export type HookFailureReason = (typeof HOOK_FAILURES)[number];

/** A back end gave no usable answer. */
export class HookFailure extends Error {
  constructor(
    readonly endpoint: string,
    readonly reason: HookFailureReason,
    detail: string,
    /** Of the answer, if the reason is `bad_status`. */
    readonly status?: number,
  ) {
    super(`The hook endpoint ${endpoint} failed: ${detail}`);
    this.name = 'HookFailure';
  }
}
