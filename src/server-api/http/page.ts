/** One row more than fits is asked for, so that the last page is known to be the last. */
export const ONE_MORE = 1;

/**
 * Splits off what was read beyond a page.
 *
 * @param rows in the order of their keys, at most `limit + ONE_MORE`
 * @returns the rows of the page, and the key of its last one if there are more
 */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
): { readonly rows: Row[]; readonly next: { readonly after?: string } } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, next: rows.length > limit && last !== undefined ? { after: keyOf(last) } : {} };
}
