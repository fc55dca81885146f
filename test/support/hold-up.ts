/** Keeps the event loop, which a test shares with its server, from turning. */
export function holdUpEventLoop(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) JSON.stringify(end);
}

/** Does nothing at all for so long, as a process that is not run: the event loop stands still, and no processor works. */
export function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
