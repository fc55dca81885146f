import type { GatehouseError } from './errors.js';
import { guard } from './guard.js';

/** A value that changes as a whole, and tells those who listen: the form that React's `useSyncExternalStore` reads. */
export class Observable<T> {
  private readonly _listeners = new Set<() => void>();

  constructor(
    private _value: T,
    private readonly _onError: (error: GatehouseError) => void,
  ) {}

  readonly getSnapshot = (): T => this._value;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this._listeners.add(own);
    return () => void this._listeners.delete(own);
  };

  set(value: T): void {
    this._value = value;
    for (const listener of this._listeners) guard(listener, this._onError);
  }
}
