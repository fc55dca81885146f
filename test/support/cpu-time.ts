/** Milliseconds of processor time that a task takes: a starved process waits long and computes no more. */
export async function cpuTimeOf(task: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await task();
  return process.cpuUsage(before).user / 1_000;
}
