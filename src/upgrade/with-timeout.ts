/**
 * The result of the promise, or `late` if that takes longer.
 *
 * @param timeoutMs 0: no limit
 */
export async function withTimeout<T, const Late>(
  promise: Promise<T>,
  timeoutMs: number,
  late: Late,
): Promise<T | Late> {
  if (timeoutMs === 0) return promise;
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<Late>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, late);
    timer.unref();
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
