import { EventEmitter } from 'node:events';
import type { Session } from '../sessions/session.js';
import type { HookFailure, HookFailureReason } from './hook-failure.js';

/** What a back end is asked or told about. */
export const HOOKS = ['connect', 'subscribe', 'publish', 'message', 'events'] as const;
export type HookName = (typeof HOOKS)[number];

/** What came of a request: an answer, an answer that denies, or why there was none. */
export type HookOutcome = 'ok' | 'denied' | HookFailureReason;

/**
 * `denied`: the request was refused. `rights_given`: the session has other roles or channels than its token says.
 * `allowed_unasked`: the back end was away, and `on_failure` is `allow`.
 */
export type HookVerdict = 'denied' | 'rights_given' | 'allowed_unasked';

/** What a back end decided about a client's request, other than to let it pass. */
export interface HookDecision {
  readonly hook: HookName;
  readonly endpoint: string;
  readonly verdict: HookVerdict;
  readonly session: Pick<Session, 'id' | 'principal' | 'address'>;
  /** The error code, if it was denied. */
  readonly code?: string | undefined;
  /** The channel, or the type of the message. */
  readonly target?: string;
}

/**
 * Why a back end was never told of an event.
 *
 * - `refused`: it answered that it will never take the batch
 * - `too_old`: it did not take the batch within an hour
 * - `overflow`: too many events waited
 * - `stopped`: the node ended first
 */
export const DROP_REASONS = ['refused', 'too_old', 'overflow', 'stopped'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

interface HookEventMap {
  decided: [decision: HookDecision];
  /** A request has ended, after so many milliseconds. */
  ended: [hook: HookName, outcome: HookOutcome, milliseconds: number];
  /** A request got no usable answer. */
  failed: [hook: HookName, failure: HookFailure];
  /** Events were dropped before the back end was told of them. */
  dropped: [events: number, reason: DropReason];
}

/** What becomes of hooks, for observers. Listeners must not throw. */
export class HookEvents extends EventEmitter<HookEventMap> {}
