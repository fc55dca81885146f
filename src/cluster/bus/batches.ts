/** Does something for every item, for so many at one time. What fails ends it. */
export async function inBatches<T>(
  items: readonly T[],
  size: number,
  action: (item: T) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += size) {
    await Promise.all(items.slice(start, start + size).map(action));
  }
}

/** As `inBatches`, but goes on where something fails. Resolves with what failed. */
export async function failedOf<T>(
  items: readonly T[],
  size: number,
  action: (item: T) => Promise<unknown>,
): Promise<readonly T[]> {
  const failed: T[] = [];
  await inBatches(items, size, (item) => action(item).catch(() => failed.push(item)));
  return failed;
}
