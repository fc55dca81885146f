/** A value that changes as a whole, and tells who wants to know: the form that React's `useSyncExternalStore` reads. */
export class Observable<T> {
  private readonly listeners = new Set<() => void>();

  constructor(
    private value: T,
    private readonly failed: (error: unknown) => void,
  ) {}

  readonly getSnapshot = (): T => this.value;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  };

  set(value: T): void {
    this.value = value;
    for (const listener of this.listeners) {
      try {
        listener();
      } catch (error) {
        this.failed(error);
      }
    }
  }
}
