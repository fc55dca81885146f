/** Keeps the event loop, which a test shares with its server, from turning. */
export function holdUpEventLoop(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) JSON.stringify(end);
}
