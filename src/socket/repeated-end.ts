import type { Writable } from 'node:stream';

/**
 * `ws` ends the socket and its receiver at every step of a close, four times in all. For those that come after the
 * stream has finished, Node makes an error with a stack that nobody reads: a tenth of what a connection costs.
 */
export function ignoreRepeatedEnd(stream: Writable): void {
  stream.end = endOnce;
}

type End = (this: Writable, ...last: unknown[]) => Writable;

const endOnce: End = function (...last) {
  if (this.writableEnded && last.length === 0) return this;
  return (Reflect.get(Reflect.getPrototypeOf(this) ?? this, 'end') as End).apply(this, last);
};
