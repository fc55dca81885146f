/**
 * Does something for every item, with at most so many items in progress. Rejects with the first error, after which no
 * more items begin.
 */
export async function inBatches<T>(
  items: readonly T[],
  size: number,
  action: (item: T) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += size) {
    await Promise.all(items.slice(start, start + size).map(action));
  }
}

/** Like `inBatches`, but continues after an error. Resolves with the items that failed. */
export async function failedOf<T>(
  items: readonly T[],
  size: number,
  action: (item: T) => Promise<unknown>,
): Promise<readonly T[]> {
  const failed: T[] = [];
  await inBatches(items, size, (item) => action(item).catch(() => failed.push(item)));
  return failed;
}
