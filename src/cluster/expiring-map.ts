interface Entry<T> {
  readonly value: T;
  readonly endsAt: number;
}

/** Values that are forgotten a fixed time after they were set, or earlier where there are too many. */
export class ExpiringMap<T> {
  private readonly entries = new Map<string, Entry<T>>();

  constructor(
    private readonly lifeMs: number,
    private readonly maxSize: number,
  ) {}

  get(key: string): T | undefined {
    const entry = this.entries.get(key);
    return entry && entry.endsAt > Date.now() ? entry.value : undefined;
  }

  set(key: string, value: T): void {
    const now = Date.now();
    // Deleted first, so that the map stays ordered by age.
    this.entries.delete(key);
    this.entries.set(key, { value, endsAt: now + this.lifeMs });
    for (const [oldest, { endsAt }] of this.entries) {
      if (endsAt > now && this.entries.size <= this.maxSize) return;
      this.entries.delete(oldest);
    }
  }

  get size(): number {
    return this.entries.size;
  }
}
