import { EventEmitter } from 'node:events';
import type { HookFailure, HookFailureReason } from './hook-failure.js';

/** What a back end is asked or told about. */
export const HOOKS = ['connect', 'subscribe', 'publish', 'message', 'events'] as const;
export type HookName = (typeof HOOKS)[number];

/** What came of a request: an answer, an answer that denies, or why there was none. */
export type HookOutcome = 'ok' | 'denied' | HookFailureReason;

interface HookEventMap {
  /** A request has ended, after so many milliseconds. */
  ended: [hook: HookName, outcome: HookOutcome, milliseconds: number];
  /** A request got no usable answer. */
  failed: [hook: HookName, failure: HookFailure];
  /** Events were dropped before the back end was told of them. */
  dropped: [events: number];
}

/** What becomes of hooks, for observers. Listeners must not throw. */
export class HookEvents extends EventEmitter<HookEventMap> {}
