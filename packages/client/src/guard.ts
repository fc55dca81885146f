import { failure, type GatehouseError } from './errors.js';

/** Calls code of the user. What it throws, or rejects with, is told, and keeps nothing else from its work. */
export function guard(call: () => unknown, onError: (error: GatehouseError) => void): void {
  const onThrown = (cause: unknown): void => onError(failure('HANDLER_FAILED', cause));
  try {
    const result = call();
    if (result instanceof Promise) result.catch(onThrown);
  } catch (cause) {
    onThrown(cause);
  }
}
