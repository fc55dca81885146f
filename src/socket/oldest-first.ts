/** A set whose oldest member is found at once, however many were deleted before it. */
export class OldestFirst<T> {
  private readonly members = new Set<T>();
  /**
   * An iterator that continues where it stopped. A new one would first skip everything that was deleted: 8 µs for each
   * drop with 10,000 frames.
   */
  private iterator = this.members.values();

  add(member: T): void {
    this.members.add(member);
  }

  delete(member: T): void {
    this.members.delete(member);
  }

  clear(): void {
    this.members.clear();
  }

  /** The oldest member, which the caller deletes before the next call. Undefined if there is none. */
  oldest(): T | undefined {
    const { value, done } = this.iterator.next();
    if (!done) return value;
    this.iterator = this.members.values();
    return this.iterator.next().value;
  }
}
