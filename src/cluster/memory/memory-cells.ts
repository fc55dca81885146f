/** Which keys are in the cells of one channel, and the seq of the last publication of each cell that has any. */
export class MemoryCells {
  private readonly keys = new Map<string, Set<string>>();
  private readonly seqs = new Map<string, number>();

  keysIn(cell: string): Iterable<string> {
    return this.keys.get(cell) ?? [];
  }

  /** 0: the cell is empty. */
  seqOf(cell: string): number {
    return this.seqs.get(cell) ?? 0;
  }

  move(key: string, from: string | undefined, to: string | undefined): void {
    if (from === to) return;
    if (from !== undefined) this.remove(key, from);
    if (to !== undefined) this.keys.set(to, (this.keys.get(to) ?? new Set()).add(key));
  }

  /** A publication of the cell. Returns the seq of the one before it. */
  published(cell: string, seq: number): number {
    const before = this.seqOf(cell);
    // An empty cell takes no memory.
    if (this.keys.has(cell)) this.seqs.set(cell, seq);
    else this.seqs.delete(cell);
    return before;
  }

  /** Its keys are gone without a publication, because nobody looks. */
  leave(key: string, cell: string | undefined): void {
    this.move(key, cell, undefined);
    if (cell !== undefined && !this.keys.has(cell)) this.seqs.delete(cell);
  }

  private remove(key: string, cell: string): void {
    const keys = this.keys.get(cell);
    keys?.delete(key);
    if (keys?.size === 0) this.keys.delete(cell);
  }
}
