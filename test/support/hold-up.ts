/** Keeps the event loop, which a test shares with its server, from turning. */
export function holdUpEventLoop(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) JSON.stringify(end);
}

/** Stops the event loop for this long without using a processor, as if the process were not scheduled. */
export function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
